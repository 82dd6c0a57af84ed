//! `#[actor]`.

mod check;
mod construct;
mod expand;
mod handler;
mod hooks;
mod model;
mod own_message;

use proc_macro2::TokenStream;

use crate::attr::Args;
use crate::errors::Errors;
use crate::fallback;
use model::Model;

/// Expands `#[actor(args)] item`.
///
/// A handler with a mistake is left out of what is generated; the rest of the actor is made, so that code that uses it
/// compiles as far as it can.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = errors.take(Args::parse(args)).unwrap_or_default();
    if let Some(version) = &args.version {
        errors.add(version, "an actor has no version: its messages have, and its state");
    }
    let mut model = match Model::parse(item.clone(), args, &mut errors) {
        Ok(model) => model,
        Err(error) => {
            errors.push(error);
            return fallback::with_errors(errors.into_error(), item);
        }
    };
    check::check(&mut model, &mut errors);
    fallback::with_errors(errors.into_error(), expand::actor(&model))
}
