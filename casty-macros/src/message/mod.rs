//! `#[message]`.

mod check;
mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::attr::Args;
use crate::errors::Errors;
use crate::fallback;
use model::Model;

/// Expands `#[message(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = errors.take(Args::parse(args)).unwrap_or_default();
    let model = match Model::parse(item.clone(), args) {
        Ok(model) => model,
        Err(error) => {
            errors.push(error);
            return fallback::with_errors(errors.into_error(), item);
        }
    };
    check::check(&model, &mut errors);
    match errors.into_error() {
        None => expand::message(&model),
        Some(error) => fallback::with_errors(error, expand::stub(&model)),
    }
}
