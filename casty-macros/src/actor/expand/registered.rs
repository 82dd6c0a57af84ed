//! `impl Registered`, and the entry in the program's list of actor types.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Names;
use crate::actor::handler::Handler;
use crate::actor::model::Model;
use crate::path::Casty;

/// Nothing for a local actor. A generic one is local: which of its types other nodes have cannot be known.
pub(super) fn registered(model: &Model, names: &Names<'_>) -> TokenStream {
    if model.is_local() {
        return TokenStream::new();
    }
    let registered = implementation(model, names);
    let (entry, made) = (entry(model, names), made(model, names));
    quote! {
        #registered
        #entry
        #made
    }
}

/// `impl MadeOf<Args>`, where `new` is of a form that another node could call.
fn made(model: &Model, names: &Names<'_>) -> Option<TokenStream> {
    let (casty, actor, types) = (Casty, names.actor, model.made_of.as_ref()?);
    let args = args(types);
    let names: Vec<_> = (0..types.len()).map(|at| format_ident!("arg{at}")).collect();
    let pattern = if let [name] = &names[..] { quote!(#name) } else { quote!((#(#names),*)) };
    Some(quote! {
        #[automatically_derived]
        impl #casty::MadeOf<#args> for #actor {
            #[allow(deprecated, clippy::unit_arg)]
            fn make(#pattern: #args) -> Self {
                Self::new(#(#names),*)
            }
        }
    })
}

/// What `new` takes, as one type.
fn args(types: &[TokenStream]) -> TokenStream {
    match types {
        [one] => one.clone(),
        types => quote!((#(#types),*)),
    }
}

/// What the messages and replies need stands as bounds in front: where one does not hold, the compiler says so once, at
/// its type, and takes it as given within.
fn implementation(model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, actor, msg) = (Casty, names.actor, &names.msg);
    let messages: Vec<_> = model.handlers.iter().map(|handler| &handler.message).collect();
    let bounds = model.handlers.iter().flat_map(|Handler { message, reply, .. }| {
        [casty.bound(message, "WireMessage"), casty.bound(reply, "WireReply")]
    });
    let encode = model.handlers.iter().map(|Handler { variant, message, .. }| {
        quote!(#msg::#variant(msg, port) => #casty::encode_message::<Self, #message>(msg, port),)
    });
    quote! {
        #[automatically_derived]
        impl #casty::Registered for #actor
        where
            #(#bounds,)*
        {
            const MESSAGES: &'static [#casty::MessageOf] = &[#(#casty::message_of::<Self, #messages>(),)*];

            fn encode(msg: Self::Msg) -> ::core::result::Result<#casty::Outbound, #casty::EncodeError> {
                match msg {
                    #(#encode)*
                }
            }

            #[allow(unused_variables)]
            fn decode(
                tag: u32,
                bytes: &[u8],
                origin: #casty::Origin,
            ) -> ::core::result::Result<Self::Msg, #casty::DecodeError> {
                #(if tag == <#messages as #casty::WireMessage>::TAG {
                    return #casty::decode_message::<Self, #messages>(bytes, origin);
                })*
                ::core::result::Result::Err(#casty::DecodeError::UnknownTag {
                    actor: <Self as #casty::Actor>::NAME,
                    tag,
                })
            }
        }
    }
}

fn entry(model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, actor) = (Casty, names.actor);
    let spawn = match &model.made_of {
        Some(types) => {
            let args = args(types);
            quote!(#casty::SpawnProbe::<#actor, #args>::SPAWN)
        }
        None => quote!(::core::option::Option::None),
    };
    quote! {
        const _: () = {
            #[allow(unused_imports)]
            use #casty::{NotAnEntity as _, NotSpawned as _};

            #casty::inventory::submit! {
                #casty::Registration {
                    name: <#actor as #casty::Actor>::NAME,
                    rust_name: ::core::any::type_name::<#actor>,
                    type_id: ::core::any::TypeId::of::<#actor>,
                    messages: #casty::Probe::<#actor>::MESSAGES,
                    entity: #casty::Probe::<#actor>::ENTITY,
                    stateless: #casty::Probe::<#actor>::STATELESS,
                    remote: <#actor as #casty::Addressed>::REMOTE,
                    spawn: #spawn,
                }
            }

            #[automatically_derived]
            impl #casty::Addressed for #actor {
                const REMOTE: ::core::option::Option<&'static dyn #casty::RemoteType> =
                    #casty::Probe::<#actor>::REMOTE;
            }
        };
    }
}
