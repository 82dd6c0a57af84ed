//! `#[persistent]`.

mod check;
mod expand;
mod history;
mod model;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::fallback;
use model::Model;

/// Expands `#[persistent(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let model = match Model::parse(args, item.clone()) {
        Ok(model) => model,
        Err(error) => return fallback::with_errors(error, item),
    };
    let fields = check::fields(&model, &mut errors);
    match errors.into_error() {
        None => expand::persistent(&model, &fields),
        Some(error) => fallback::with_errors(error, expand::stub(&model)),
    }
}
