//! What is emitted beside an error, so that one mistake is one message.

use proc_macro2::TokenStream;
use quote::quote;

/// The errors, and `rest`: the user's item with what could be generated for it.
///
/// Without `rest` the compiler would also report every use of what is missing.
pub(crate) fn with_errors(errors: impl Into<Option<syn::Error>>, rest: TokenStream) -> TokenStream {
    let errors = errors.into().map(|errors| errors.to_compile_error());
    quote! {
        #errors
        #rest
    }
}
