//! `Handles`, once for each message.

use proc_macro2::TokenStream;
use quote::quote;

use super::Names;
use crate::actor::handler::Handler;
use crate::actor::model::Model;
use crate::path::Casty;

/// `impl Handles<Deposit> for Account`, and so on.
pub(super) fn handles(model: &Model, names: &Names<'_>) -> TokenStream {
    let impls = model.handlers.iter().map(|handler| one(handler, model, names));
    let guard = guard(model, names);
    quote! {
        #(#impls)*
        #guard
    }
}

fn one(handler: &Handler, model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, actor, msg) = (Casty, names.actor, &names.msg);
    let (impl_generics, _, where_clause) = names.generics.split_for_impl();
    let Handler { variant, message, reply, .. } = handler;
    let access = access(handler);
    let (ok, error, outcome) = if handler.is_result {
        (
            quote!(<#reply as #casty::IntoOutcome>::Ok),
            quote!(<#reply as #casty::IntoOutcome>::Error),
            quote!(#casty::IntoOutcome::into_outcome(reply)),
        )
    } else {
        (quote!(#reply), quote!(#casty::Infallible), quote!(::core::result::Result::Ok(reply)))
    };
    let is_only = model.handlers.len() == 1 && !model.is_generic();
    let others = (!is_only).then(|| quote!(msg => ::core::result::Result::Err(msg),));
    quote! {
        #[automatically_derived]
        impl #impl_generics #casty::Handles<#message> for #actor #where_clause {
            type Message = #message;
            type Reply = #reply;
            type Ok = #ok;
            type Error = #error;
            const ACCESS: #casty::Access = #access;

            #[inline]
            fn wrap(msg: #message, port: #casty::Port<#reply>) -> Self::Msg {
                #msg::#variant(msg, port)
            }

            fn unwrap(msg: Self::Msg) -> ::core::result::Result<(#message, #casty::Port<#reply>), Self::Msg> {
                match msg {
                    #msg::#variant(msg, port) => ::core::result::Result::Ok((msg, port)),
                    #others
                }
            }

            #[inline]
            fn outcome(reply: #reply) -> ::core::result::Result<Self::Ok, Self::Error> {
                #outcome
            }
        }
    }
}

/// A message that nobody can make. With one `impl` the compiler would take any message for the one of that `impl`, and
/// report a type mismatch; with two it says that the actor has no handler for it.
///
/// An actor that handles its own type parameter has none: the parameter may be that message too.
fn guard(model: &Model, names: &Names<'_>) -> TokenStream {
    if model.handlers.iter().any(|handler| handler.is_parameter(names.generics)) {
        return TokenStream::new();
    }
    let (casty, actor) = (Casty, names.actor);
    let (impl_generics, _, where_clause) = names.generics.split_for_impl();
    quote! {
        #[doc(hidden)]
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #impl_generics #casty::Handles<#casty::Infallible> for #actor #where_clause {
            type Message = #casty::Infallible;
            type Reply = #casty::Infallible;
            type Ok = #casty::Infallible;
            type Error = #casty::Infallible;
            const ACCESS: #casty::Access = #casty::Access::Read;

            fn wrap(msg: #casty::Infallible, _: #casty::Port<#casty::Infallible>) -> Self::Msg {
                match msg {}
            }

            fn unwrap(
                msg: Self::Msg,
            ) -> ::core::result::Result<(#casty::Infallible, #casty::Port<#casty::Infallible>), Self::Msg> {
                ::core::result::Result::Err(msg)
            }

            fn outcome(reply: #casty::Infallible) -> ::core::result::Result<Self::Ok, Self::Error> {
                match reply {}
            }
        }
    }
}

/// `Access::Read` or `Access::Write`.
pub(super) fn access(handler: &Handler) -> TokenStream {
    let casty = Casty;
    if handler.is_read { quote!(#casty::Access::Read) } else { quote!(#casty::Access::Write) }
}
