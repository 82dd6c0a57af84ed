//! Attributes and their arguments.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Attribute, LitStr};

/// Parses the arguments `name = "…"` of `#[actor]` and `#[message]`. No arguments are `None`.
pub(crate) fn wire_name(args: TokenStream) -> syn::Result<Option<LitStr>> {
    let mut name: Option<LitStr> = None;
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("name") {
            let given = meta.path.to_token_stream();
            return Err(meta.error(format!("unknown argument `{given}`; `name = \"…\"` is allowed")));
        }
        let value: LitStr = meta.value()?.parse()?;
        if value.value().is_empty() {
            return Err(syn::Error::new(value.span(), "a wire name is not empty"));
        }
        if name.replace(value).is_some() {
            return Err(meta.error("the wire name is given twice"));
        }
        Ok(())
    });
    parser.parse2(args)?;
    Ok(name)
}

/// Takes the attribute `#[name]` out of `attrs`.
pub(crate) fn take(attrs: &mut Vec<Attribute>, name: &str) -> Option<Attribute> {
    let at = attrs.iter().position(|attr| attr.path().is_ident(name))?;
    Some(attrs.remove(at))
}

/// Finds an attribute that has one of these names.
pub(crate) fn find<'a>(attrs: &'a [Attribute], names: &[&str]) -> Option<&'a Attribute> {
    attrs.iter().find(|attr| names.iter().any(|name| attr.path().is_ident(name)))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn error(args: TokenStream) -> String {
        wire_name(args).err().unwrap().to_string()
    }

    #[test]
    fn a_wire_name_is_read() {
        assert_eq!(wire_name(quote!(name = "bank.Account")).unwrap().unwrap().value(), "bank.Account");
        assert!(wire_name(quote!()).unwrap().is_none());
    }

    #[test]
    fn other_arguments_are_refused_by_name() {
        assert_eq!(error(quote!(local)), "unknown argument `local`; `name = \"…\"` is allowed");
        assert_eq!(error(quote!(name = "")), "a wire name is not empty");
        assert_eq!(error(quote!(name = "a", name = "b")), "the wire name is given twice");
    }
}
