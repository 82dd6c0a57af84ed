//! Attributes and their arguments.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Attribute, LitInt, LitStr, Path};

/// The arguments of `#[actor]` and `#[message]`.
#[derive(Default)]
pub(crate) struct Args {
    /// The wire name, if the user fixed it: `name = "…"`.
    pub(crate) name: Option<LitStr>,
    /// The version of a message: `version = 2`.
    pub(crate) version: Option<LitInt>,
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
            if meta.path.is_ident("version") {
                let value = version(meta.value()?.parse()?)?;
                return match parsed.version.replace(value) {
                    Some(_) => Err(meta.error("the version is given twice")),
                    None => Ok(()),
                };
            }
            if !meta.path.is_ident("name") {
                let given = meta.path.to_token_stream();
                let allowed = "`name = \"…\"`, `version = …` of a message, and `local` are allowed";
                return Err(meta.error(format!("unknown argument `{given}`; {allowed}")));
            }
            let value: LitStr = meta.value()?.parse()?;
            if value.value().is_empty() || value.value().contains(char::is_whitespace) {
                return Err(syn::Error::new(value.span(), "a wire name is not empty, and has no blanks"));
            }
            if parsed.name.replace(value).is_some() {
                return Err(meta.error("the wire name is given twice"));
            }
            Ok(())
        });
        parser.parse2(args)?;
        match (&parsed.name, &parsed.version, &parsed.local) {
            (Some(name), _, Some(_)) => {
                Err(syn::Error::new(name.span(), "what is `local` has no wire name: leave one of the two out"))
            }
            (None, Some(version), Some(_)) => {
                Err(syn::Error::new(version.span(), "what is `local` has no version: leave one of the two out"))
            }
            _ => Ok(parsed),
        }
    }
}

/// A version, which is a number from 1 on.
pub(crate) fn version(literal: LitInt) -> syn::Result<LitInt> {
    match literal.base10_parse::<u32>()? {
        0 => Err(syn::Error::new(literal.span(), "the first version is 1")),
        _ => Ok(literal),
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
        assert!(error(quote!(lokal)).starts_with("unknown argument `lokal`; `name = \"…\"`"));
        assert!(error(quote!(local, name = "a")).contains("has no wire name"));
        assert!(error(quote!(name = "")).contains("is not empty"));
        assert!(error(quote!(name = "a b")).contains("no blanks"));
        assert_eq!(error(quote!(version = 0)), "the first version is 1");
        assert_eq!(error(quote!(version = 2, version = 3)), "the version is given twice");
        assert!(error(quote!(local, version = 2)).contains("has no version"));
        assert_eq!(error(quote!(name = "a", name = "b")), "the wire name is given twice");
    }
}
