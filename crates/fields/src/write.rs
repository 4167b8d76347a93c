//! What the attributes write.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Error, Expr, Field, Fields, GenericArgument, Ident, ItemStruct, LitStr, Meta, Path,
    PathArguments, Result, Type, parse_quote,
};

use crate::by_name::{self, ByName};

/// Of which request a struct is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Patch,
    Settings,
}

/// What a field may hold.
enum Holds<'a> {
    /// What has to be there, or has a value of its own when it is absent.
    Value,
    /// An `Option`.
    Option(&'a Type),
    /// A `Clearable`.
    Clearable(&'a Type),
}

pub(crate) fn write(kind: Kind, of: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut item: ItemStruct = syn::parse2(item)?;
    // A default of the whole struct shows in OpenAPI, as one of each field; its fields' do not.
    let has_default = said(&item.attrs, "serde")?.contains(&"default".to_owned());
    let is_whole = has_default || kind != Kind::Create;
    // Those that are read together with others, from one object.
    let is_by_name = kind == Kind::Settings || (kind == Kind::Patch && !of.is_empty());
    let Fields::Named(fields) = &mut item.fields else {
        return Err(Error::new_spanned(item, "its fields have to have names"));
    };
    let (mut of_change, mut by_names) = (Vec::new(), Vec::new());
    for field in &mut fields.named {
        if take(field, "apart").is_none() {
            of_change.extend(field.ident.clone());
        }
        if is_by_name {
            by_name::check(&said(&field.attrs, "serde")?, field)?;
        }
        let way = complete(kind, is_whole, field)?;
        let way = way.map(|way| syn::parse_str(&way)).transpose()?;
        let ty = field.ty.clone();
        by_names.extend(field.ident.clone().map(|ident| ByName { ident, ty, way }));
    }
    item.attrs.push(match kind {
        Kind::Patch | Kind::Settings if !has_default => {
            parse_quote!(#[serde(rename_all = "camelCase", default)])
        }
        _ => parse_quote!(#[serde(rename_all = "camelCase")]),
    });
    let name = &item.ident;
    let more = match (kind, of.is_empty()) {
        (Kind::Settings, true) => by_name::fields(name, &by_names),
        (_, true) => TokenStream::new(),
        (Kind::Create, false) => change(name, &syn::parse2(of)?, &of_change),
        (Kind::Patch, false) => {
            let change = by_name::change(name, &syn::parse2(of)?, &by_names);
            let fields = by_name::fields(name, &by_names);
            quote!(#fields #change)
        }
        (Kind::Settings, false) => return Err(Error::new_spanned(of, "is of nothing else")),
    };
    Ok(quote!(#item #more))
}

/// Adds to a field what it does not say itself; by which function it is read then, where that is none
/// of serde's.
fn complete(kind: Kind, is_whole: bool, field: &mut Field) -> Result<Option<String>> {
    let most = most(field)?;
    let said = said(&field.attrs, "serde")?;
    let holds = holds(&field.ty);
    let has_value_type = self::said(&field.attrs, "schema")?.contains(&"value_type".to_owned());
    let (mut serde, mut way): (Vec<TokenStream>, _) = (Vec::new(), None);

    if !is_whole {
        serde.push(quote!(default));
    }
    let name = field.ident.as_ref().map(ToString::to_string);
    if let Some(name) = name.filter(|name| name.contains('_')) {
        serde.push(quote!(alias = #name));
    }
    if !said.contains(&"deserialize_with".to_owned())
        && let Some(read) = read(kind, &holds, most.as_ref(), field)?
    {
        let written = LitStr::new(&read, proc_macro2::Span::call_site());
        serde.push(quote!(deserialize_with = #written));
        way = Some(read);
    }
    let may_be_absent = !matches!(holds, Holds::Value);
    if kind == Kind::Patch && may_be_absent && !said.contains(&"skip_serializing_if".to_owned()) {
        serde.push(quote!(skip_serializing_if = "Option::is_none"));
    }
    let schema: Option<TokenStream> = match holds {
        Holds::Clearable(of) if !has_value_type => Some(quote!(value_type = Option<#of>)),
        _ => None,
    };
    if !serde.is_empty() {
        field.attrs.push(parse_quote!(#[serde(#(#serde),*)]));
    }
    if let Some(schema) = schema {
        add(field, "schema", &schema);
    }
    Ok(way)
}

/// By which function of `wire` a field is read; `None` for serde's own way.
fn read(
    kind: Kind,
    holds: &Holds<'_>,
    most: Option<&Expr>,
    field: &Field,
) -> Result<Option<String>> {
    let (Holds::Option(of) | Holds::Clearable(of)) = holds else {
        return Ok(None);
    };
    let way = match (kind, holds) {
        // What was taken once is read as it is.
        (Kind::Settings, _) => return Ok(None),
        (Kind::Create, Holds::Clearable(_)) => {
            let message = "what is new has nothing to clear: an `Option` will do";
            return Err(Error::new_spanned(&field.ty, message));
        }
        (_, Holds::Clearable(_)) => "clearable",
        (Kind::Create, _) => "optional",
        (Kind::Patch, _) => "present",
    };
    if argument(of, "Vec").is_some() {
        let most = most.map(|most| most.to_token_stream().to_string());
        let most = most.ok_or_else(|| {
            let message = "is a list: say `#[most(…)]`, how many entries it is read to";
            Error::new_spanned(field, message)
        })?;
        return Ok(Some(format!("crate::lists::{way}::<{most}, _, _>")));
    }
    let is_moment = argument(of, "DateTime").is_some();
    Ok(match way {
        "optional" if is_moment => Some("crate::times::some_moment".to_owned()),
        "present" if is_moment => Some("crate::times::present_moment".to_owned()),
        "optional" => None,
        _ if is_moment => {
            let message = "how a moment is cleared is not known yet";
            return Err(Error::new_spanned(&field.ty, message));
        }
        way => Some(format!("crate::patch::{way}")),
    })
}

/// Makes the struct into a change, by the fields' names.
fn change(from: &Ident, to: &Path, names: &[Ident]) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::std::convert::From<#from> for #to {
            fn from(new: #from) -> Self {
                let mut change = Self::default();
                #(change.#names = ::std::convert::Into::into(new.#names);)*
                change
            }
        }
    }
}

fn holds(ty: &Type) -> Holds<'_> {
    match (argument(ty, "Clearable"), argument(ty, "Option")) {
        (Some(of), _) => Holds::Clearable(of),
        (None, Some(of)) => Holds::Option(of),
        (None, None) => Holds::Value,
    }
}

/// The `T` of a `name<T>`.
fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == name => {
            match arguments.args.first()? {
                GenericArgument::Type(of) => Some(of),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Takes the field's `#[most(…)]`.
fn most(field: &mut Field) -> Result<Option<Expr>> {
    take(field, "most")
        .map(|most| most.parse_args())
        .transpose()
}

/// Takes the field's attribute of this name, which is ours.
fn take(field: &mut Field, name: &str) -> Option<Attribute> {
    let mut attributes = field.attrs.iter();
    let place = attributes.position(|attribute| attribute.path().is_ident(name))?;
    Some(field.attrs.remove(place))
}

/// What is said in the attributes of this name: the words before `=`.
fn said(attributes: &[Attribute], name: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let of_name = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name));
    for attribute in of_name {
        attribute.parse_nested_meta(|meta| {
            words.extend(meta.path.get_ident().map(ToString::to_string));
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<Value>()?;
            } else if meta.input.peek(syn::token::Paren) {
                let inside;
                syn::parenthesized!(inside in meta.input);
                inside.parse::<TokenStream>()?;
            }
            Ok(())
        })?;
    }
    Ok(words)
}

/// What stands after a `=`: an expression or a type.
struct Value;

impl syn::parse::Parse for Value {
    fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
        if input.fork().parse::<Type>().is_ok() {
            input.parse::<Type>()?;
        } else {
            input.parse::<Expr>()?;
        }
        Ok(Self)
    }
}

/// Adds to the field's attribute of this name.
fn add(field: &mut Field, name: &str, what: &TokenStream) {
    let mut known = field.attrs.iter_mut();
    let known = known.find(|attribute| attribute.path().is_ident(name));
    if let Some(Meta::List(list)) = known.map(|attribute| &mut attribute.meta) {
        let tokens = &list.tokens;
        list.tokens = quote!(#tokens, #what);
        return;
    }
    let name = Ident::new(name, proc_macro2::Span::call_site());
    field.attrs.push(parse_quote!(#[#name(#what)]));
}

#[cfg(test)]
mod tests;
