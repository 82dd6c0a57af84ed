//! `#[actor]`.

mod check;
mod expand;
mod handler;
mod hooks;
mod model;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::{attr, fallback};
use model::Model;

/// Expands `#[actor(args)] item`.
///
/// A handler with a mistake is left out of what is generated; the rest of the actor is made, so that code that uses it
/// compiles as far as it can.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let name = errors.take(attr::wire_name(args)).flatten();
    let mut model = match Model::parse(item.clone(), name, &mut errors) {
        Ok(model) => model,
        Err(error) => {
            errors.push(error);
            return fallback::with_errors(errors.into_error(), item);
        }
    };
    check::check(&mut model, &mut errors);
    fallback::with_errors(errors.into_error(), expand::actor(&model))
}
