//! The one place that knows where generated code finds casty.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// `::casty::__private`, to be interpolated.
#[derive(Clone, Copy)]
pub(crate) struct Casty;

impl ToTokens for Casty {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(quote!(::casty::__private));
    }
}

/// The same, as serde's `crate` argument wants it.
pub(crate) const SERDE: &str = "::casty::__private::serde";

/// The bound of a field, as serde's `bound` argument wants it.
pub(crate) const WIRE_FIELD: &str = "::casty::__private::WireField";
