//! The enum of the mailbox.

use proc_macro2::TokenStream;
use quote::quote;

use super::Names;
use crate::actor::model::Model;
use crate::path::Casty;

/// `enum AccountMsg`.
pub(super) fn mailbox(model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, actor, msg) = (Casty, names.actor, &names.msg);
    let (impl_generics, _, where_clause) = names.generics.split_for_impl();
    let doc = format!(
        " What lies in the mailbox of an [`{0}`]: one variant a handler, each with its message and the port of its reply.",
        model.ident
    );
    let variants = model.handlers.iter().map(|handler| {
        let (variant, message, reply) = (&handler.variant, &handler.message, &handler.reply);
        let doc = format!(" For the handler `{}`.", handler.ident);
        quote! {
            #[doc = #doc]
            #variant(#message, #casty::Port<#reply>)
        }
    });
    // The parameters of a generic actor need not occur in its messages.
    let phantom = model.is_generic().then(|| {
        quote! {
            #[doc(hidden)]
            __Phantom(::core::marker::PhantomData<fn() -> #actor>, #casty::Infallible)
        }
    });
    let variants = variants.chain(phantom);
    quote! {
        #[doc = #doc]
        #[allow(
            dead_code,
            missing_debug_implementations,
            private_bounds,
            private_interfaces,
            unreachable_pub,
            clippy::enum_variant_names,
            clippy::large_enum_variant
        )]
        pub enum #msg #impl_generics #where_clause {
            #(#variants,)*
        }
    }
}
