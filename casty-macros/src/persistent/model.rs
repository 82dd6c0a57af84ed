//! What the user wrote in and under `#[persistent]`.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::{DeriveInput, Ident, Token, punctuated::Punctuated};

/// A type with persistent fields.
pub(crate) struct Model {
    /// The struct, as written.
    pub(crate) item: DeriveInput,
    /// The fields that the user named; `None` for all.
    pub(crate) named: Option<Vec<Ident>>,
}

impl Model {
    /// Parses the names and the struct.
    pub(crate) fn parse(args: TokenStream, item: TokenStream) -> syn::Result<Self> {
        let refused = |error: syn::Error| {
            syn::Error::new(error.span(), format!("`#[persistent]` stands on the struct of an actor: {error}"))
        };
        let item = syn::parse2(item).map_err(refused)?;
        let named = if args.is_empty() {
            None
        } else {
            let names = Punctuated::<Ident, Token![,]>::parse_terminated.parse2(args).map_err(|error| {
                syn::Error::new(error.span(), "`#[persistent(…)]` takes the names of fields: `#[persistent(a, b)]`")
            })?;
            Some(names.into_iter().collect())
        };
        Ok(Self { item, named })
    }
}
