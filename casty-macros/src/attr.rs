//! Attributes and their arguments.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Attribute, LitStr, Path};

/// The arguments of `#[actor]` and `#[message]`.
#[derive(Default)]
pub(crate) struct Args {
    /// The wire name, if the user fixed it: `name = "…"`.
    pub(crate) name: Option<LitStr>,
    /// `local`: it never crosses the network.
    pub(crate) local: Option<Path>,
}

impl Args {
    /// Parses what stands in the brackets.
    pub(crate) fn parse(args: TokenStream) -> syn::Result<Self> {
        let mut parsed = Self::default();
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("local") {
                parsed.local = Some(meta.path);
                return Ok(());
            }
            if !meta.path.is_ident("name") {
                let given = meta.path.to_token_stream();
                return Err(meta.error(format!("unknown argument `{given}`; `name = \"…\"` and `local` are allowed")));
            }
            let value: LitStr = meta.value()?.parse()?;
            if value.value().is_empty() {
                return Err(syn::Error::new(value.span(), "a wire name is not empty"));
            }
            if parsed.name.replace(value).is_some() {
                return Err(meta.error("the wire name is given twice"));
            }
            Ok(())
        });
        parser.parse2(args)?;
        match (&parsed.name, &parsed.local) {
            (Some(name), Some(_)) => {
                Err(syn::Error::new(name.span(), "what is `local` has no wire name: leave one of the two out"))
            }
            _ => Ok(parsed),
        }
    }
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
        Args::parse(args).err().unwrap().to_string()
    }

    #[test]
    fn a_wire_name_is_read() {
        assert_eq!(Args::parse(quote!(name = "bank.Account")).unwrap().name.unwrap().value(), "bank.Account");
        let none = Args::parse(quote!()).unwrap();
        assert!(none.name.is_none() && none.local.is_none());
        assert!(Args::parse(quote!(local)).unwrap().local.is_some());
    }

    #[test]
    fn other_arguments_are_refused_by_name() {
        assert_eq!(error(quote!(lokal)), "unknown argument `lokal`; `name = \"…\"` and `local` are allowed");
        assert!(error(quote!(local, name = "a")).contains("has no wire name"));
        assert_eq!(error(quote!(name = "")), "a wire name is not empty");
        assert_eq!(error(quote!(name = "a", name = "b")), "the wire name is given twice");
    }
}
