//! The one place that knows where generated code finds casty.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

/// `::casty::__private`, to be interpolated.
#[derive(Clone, Copy)]
pub(crate) struct Casty;

impl ToTokens for Casty {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(quote!(::casty::__private));
    }
}

impl Casty {
    /// The same for a call that may be wrong: what the compiler says about it is said at `span`.
    pub(crate) fn at(self, span: Span) -> TokenStream {
        quote_spanned!(span=> ::casty::__private)
    }

    /// The bound `ty: name`, of which the compiler says at `ty` that it does not hold.
    pub(crate) fn bound(self, ty: &impl ToTokens, name: &str) -> TokenStream {
        let ty = ty.to_token_stream();
        // The place of a bound reaches from its first token to its last, so these stand where the type ends.
        let end = ty.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span());
        let (casty, name) = (self.at(end), Ident::new(name, end));
        let colon = quote_spanned!(end=> :);
        quote!(#ty #colon #casty::#name)
    }
}

/// The same, as serde's `crate` argument wants it.
pub(crate) const SERDE: &str = "::casty::__private::serde";

/// The bounds of a field, as serde's `bound` argument wants them.
pub(crate) const SERDE_FIELD: &str =
    "::casty::__private::serde::Serialize + ::casty::__private::serde::de::DeserializeOwned";
