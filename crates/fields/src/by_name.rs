//! Structs whose fields are read one by one, so that several can be read from one object.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Ident, Path, Result, Type};

/// A field and the function by which it is read; `None` for serde's own way.
pub(crate) struct ByName {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) way: Option<TokenStream>,
}

/// Reads each field by its name.
pub(crate) fn fields(of: &Ident, fields: &[ByName]) -> TokenStream {
    let mut named = Vec::new();
    let mut read = Vec::new();
    for ByName { ident, ty, way } in fields {
        let older = ident.to_string();
        let name = camel(&older);
        named.push(if older == name {
            quote!(#name => ::std::option::Option::Some(#name))
        } else {
            quote!(#name | #older => ::std::option::Option::Some(#name))
        });
        let value = match way {
            None => quote!(from.next_value()?),
            Some(way) => quote! {{
                struct Way;
                impl<'de> ::serde::de::DeserializeSeed<'de> for Way {
                    type Value = #ty;

                    fn deserialize<D: ::serde::Deserializer<'de>>(
                        self,
                        deserializer: D,
                    ) -> ::std::result::Result<Self::Value, D::Error> {
                        #way(deserializer)
                    }
                }
                from.next_value_seed(Way)?
            }},
        };
        read.push(quote!(::std::option::Option::Some(#name) => self.#ident = #value));
    }
    quote! {
        #[automatically_derived]
        impl crate::settings::Fields for #of {
            fn named(name: &str) -> ::std::option::Option<&'static str> {
                match name {
                    #(#named,)*
                    _ => ::std::option::Option::None,
                }
            }

            fn read<'de, A: ::serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                from: &mut A,
            ) -> ::std::result::Result<(), A::Error> {
                match <Self as crate::settings::Fields>::named(name) {
                    #(#read,)*
                    _ => {
                        from.next_value::<::serde::de::IgnoredAny>()?;
                    }
                }
                ::std::result::Result::Ok(())
            }
        }
    }
}

/// Makes the change of a struct that has the same fields.
pub(crate) fn change(from: &Ident, to: &Path, fields: &[ByName]) -> TokenStream {
    let names = fields.iter().map(|field| &field.ident);
    quote! {
        #[automatically_derived]
        impl crate::settings::Change for #from {
            type Of = #to;

            fn make(&self, of: &mut #to) {
                #(if let ::std::option::Option::Some(value) = &self.#names {
                    ::std::clone::Clone::clone_from(&mut of.#names, value);
                })*
            }
        }
    }
}

/// Refuses what serde alone is told of a field and would do another way.
pub(crate) fn check(said: &[String], field: &syn::Field) -> Result<()> {
    let ways = ["deserialize_with", "with", "alias", "rename", "flatten"];
    match said.iter().find(|word| ways.contains(&word.as_str())) {
        Some(word) => {
            let message = format!("`{word}` is not seen where fields are read by their names");
            Err(Error::new_spanned(field, message))
        }
        None => Ok(()),
    }
}

/// `party_size` → `partySize`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel: String = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
