//! What `#[actor]` generates: messages made of arguments, the mailbox's enum, the handle, and the traits of the actor.

mod actor;
mod handle;
mod handles;
mod mailbox;
mod messages;
mod registered;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Generics, Ident, Type};

use super::model::Model;

/// Everything, with the user's block in front.
pub(crate) fn actor(model: &Model) -> TokenStream {
    let names = Names::of(model);
    let block = &model.block;
    let parts = [
        messages::messages(model),
        mailbox::mailbox(model, &names),
        handle::handle(model, &names),
        actor::actor(model, &names),
        handles::handles(model, &names),
        registered::registered(model, &names),
    ];
    quote! {
        #block
        #(#parts)*
    }
}

/// The names that the parts share.
struct Names<'a> {
    /// The actor's type.
    actor: &'a Type,
    /// `AccountMsg`
    msg: Ident,
    /// `AccountHandle`
    handle: Ident,
    /// The parameters of the user's block.
    generics: &'a Generics,
    /// The same, with the handle's target as the last.
    handle_generics: Generics,
}

impl<'a> Names<'a> {
    fn of(model: &'a Model) -> Self {
        let generics = &model.block.generics;
        let mut handle_generics = generics.clone();
        handle_generics.params.push(syn::parse_quote!(__T));
        Self {
            actor: &model.block.self_ty,
            msg: format_ident!("{}Msg", model.ident),
            handle: format_ident!("{}Handle", model.ident),
            generics,
            handle_generics,
        }
    }
}
