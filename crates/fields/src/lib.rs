//! What is true of every field of a request, said once: attributes for the structs of `wire`.
//!
//! All let a field be named in camelCase or, as older clients have it, in snake_case, and be
//! absent. Those of requests bound lists: `#[most(30)]` says how many entries one is read to. What a field says
//! of itself in `#[serde(…)]` or `#[schema(…)]` stands. They come before `#[derive(…)]`, which is to
//! see what they wrote, and are of use in `wire` only, whose modules the code that they write names.
//!
//! | the field is | in a [`macro@create`] | in a [`macro@patch`] |
//! |---|---|---|
//! | `Option<T>` | absent or `null`: nothing | absent: left; `null` is refused |
//! | `Clearable<T>` | – | absent: left; `null`: cleared |
//! | a list of these | bounded | bounded |
//! | a moment of these | one that can be stored | one that can be stored |

mod by_name;
mod write;

use proc_macro::TokenStream;

use write::{Kind, write};

/// A struct that says what a new thing is to be.
///
/// `#[create(UpdateGuest)]` also makes it into a change of a thing of which nothing has been said
/// yet, by the fields' names; a field that is `#[apart]` is none of the change's.
#[proc_macro_attribute]
pub fn create(of: TokenStream, item: TokenStream) -> TokenStream {
    run(Kind::Create, of, item)
}

/// A struct that says what is to change of a thing. What is absent is not written either.
///
/// `#[patch(FloorSettings)]` also changes a value of that type, by the fields' names, and lets the
/// fields be read one by one, as [`macro@settings`] does.
#[proc_macro_attribute]
pub fn patch(of: TokenStream, item: TokenStream) -> TokenStream {
    run(Kind::Patch, of, item)
}

/// A struct of things that may be set, each of which has a default. Its fields can be read one by
/// one, so that the settings of several rooms can be one object.
#[proc_macro_attribute]
pub fn settings(of: TokenStream, item: TokenStream) -> TokenStream {
    run(Kind::Settings, of, item)
}

fn run(kind: Kind, of: TokenStream, item: TokenStream) -> TokenStream {
    write(kind, of.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
