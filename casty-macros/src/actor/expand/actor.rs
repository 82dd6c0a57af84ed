//! `impl Actor`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Names, handles};
use crate::actor::handler::Handler;
use crate::actor::hooks::{Hook, HookKind};
use crate::actor::model::Model;
use crate::path::Casty;

/// `impl Actor for Account`, `FromId` if it has `new`, and `WatchesOthers` if it has `on_terminated`.
pub(super) fn actor(model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, actor, msg, handle) = (Casty, names.actor, &names.msg, &names.handle);
    let (impl_generics, ty_generics, where_clause) = names.generics.split_for_impl();
    let (_, handle_generics, _) = names.handle_generics.split_for_impl();
    let ident = &model.ident;
    let name = match &model.args.name {
        Some(name) => quote!(#name),
        None => quote!(::core::concat!(::core::module_path!(), "::", ::core::stringify!(#ident))),
    };
    let dispatch = dispatch(model, names);
    let access = access(model, names);
    let message_name = message_name(model, names);
    let hooks = model.hooks.iter().map(hook);
    let create = model.creates.then(|| {
        quote! {
            fn create(id: &#casty::EntityId) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self::new(::core::clone::Clone::clone(id)))
            }
        }
    });
    let from_id = model.creates.then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #casty::FromId for #actor #where_clause {}
        }
    });
    let watches = model.hooks.iter().any(|hook| hook.kind == HookKind::Terminated).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #casty::WatchesOthers for #actor #where_clause {}
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #casty::Actor for #actor #where_clause {
            type Msg = #msg #ty_generics;
            type Handle<__T: #casty::Target<Self>> = #handle #handle_generics;
            const NAME: &'static str = #name;
            #dispatch
            #access
            #message_name
            #(#hooks)*
            #create
        }
        #from_id
        #watches
    }
}

/// Plain handlers run in a call, so that their messages are not moved into a future; those that are `async` in one.
fn dispatch(model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, msg) = (Casty, &names.msg);
    let arm = |handler: &Handler| {
        let (variant, reply) = (&handler.variant, call(handler));
        quote! {
            #msg::#variant(msg, port) => {
                let port = ctx.accept(port);
                port.reply(#reply);
            }
        }
    };
    let (running, plain): (Vec<_>, Vec<_>) = model.handlers.iter().partition(|handler| handler.is_async);
    let phantom = model.is_generic().then(|| quote!(#msg::__Phantom(_, never) => match never {},));
    let others = (!running.is_empty()).then(|| quote!(msg => return ::core::option::Option::Some(msg),));
    let plain = (!plain.is_empty() || running.is_empty()).then(|| {
        let arms = plain.iter().map(|handler| arm(handler));
        quote! {
            #[inline]
            #[allow(deprecated, unreachable_code, unused_variables, clippy::let_unit_value, clippy::unit_arg)]
            fn dispatch(
                &mut self,
                msg: Self::Msg,
                ctx: &mut #casty::Ctx<Self>,
            ) -> ::core::option::Option<Self::Msg> {
                match msg {
                    #(#arms)*
                    #phantom
                    #others
                }
                ::core::option::Option::None
            }
        }
    });
    let running = (!running.is_empty()).then(|| {
        let arms = running.iter().map(|handler| arm(handler));
        let others = (running.len() < model.handlers.len()).then(|| quote!(_ => {}));
        let phantom = others.is_none().then_some(&phantom);
        quote! {
            const HAS_ASYNC: bool = true;

            #[inline]
            #[allow(deprecated, unreachable_code, unused_variables, clippy::let_unit_value, clippy::unit_arg)]
            fn dispatch_async(
                &mut self,
                msg: Self::Msg,
                ctx: &mut #casty::Ctx<Self>,
            ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
                async move {
                    match msg {
                        #(#arms)*
                        #phantom
                        #others
                    }
                }
            }
        }
    });
    quote! {
        #plain
        #running
    }
}

/// The call of a handler. What is wrong with its future is said at its name, and once: the wrapper is `Send` by its
/// signature, so that the future around it is not examined again.
fn call(handler: &Handler) -> TokenStream {
    let (ident, args) = (&handler.ident, &handler.args);
    let casty = Casty.at(ident.span());
    let call = quote_spanned!(ident.span()=> Self::#ident(self, #(#args),*));
    match (handler.is_async, handler.is_read) {
        (false, _) => call,
        (true, false) => quote_spanned!(ident.span()=> #casty::write_handler(#call).await),
        (true, true) => quote_spanned!(ident.span()=> #casty::read_handler::<Self, _>(#call).await),
    }
}

fn access(model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, msg) = (Casty, &names.msg);
    let arms = model.handlers.iter().map(|handler| {
        let (variant, access) = (&handler.variant, handles::access(handler));
        quote!(#msg::#variant(..) => #access)
    });
    let phantom = model.is_generic().then(|| quote!(#msg::__Phantom(_, never) => match never {}));
    let arms = arms.chain(phantom);
    quote! {
        #[allow(clippy::match_same_arms)]
        fn access(msg: &Self::Msg) -> #casty::Access {
            match *msg {
                #(#arms,)*
            }
        }
    }
}

/// The name is the one that dead letters have for a message that was never in a mailbox.
fn message_name(model: &Model, names: &Names<'_>) -> TokenStream {
    let msg = &names.msg;
    let arms = model
        .handlers
        .iter()
        .map(|Handler { variant, message, .. }| quote!(#msg::#variant(..) => ::core::any::type_name::<#message>()));
    let phantom = model.is_generic().then(|| quote!(#msg::__Phantom(_, never) => match never {}));
    let arms = arms.chain(phantom);
    quote! {
        fn message_name(msg: &Self::Msg) -> &'static str {
            match *msg {
                #(#arms,)*
            }
        }
    }
}

fn hook(hook: &Hook) -> TokenStream {
    let (casty, ident, args) = (Casty, &hook.ident, &hook.args);
    let here = Casty.at(ident.span());
    let call = quote_spanned!(ident.span()=> Self::#ident(self, #(#args),*));
    let call = if hook.is_async { quote_spanned!(ident.span()=> #here::write_handler(#call).await) } else { call };
    match hook.kind {
        HookKind::Start => quote! {
            const HAS_START: bool = true;

            #[allow(unused_variables, clippy::needless_question_mark)]
            fn started(
                &mut self,
                ctx: &mut #casty::Ctx<Self>,
            ) -> impl ::core::future::Future<Output = ::core::result::Result<(), #casty::BoxError>> + ::core::marker::Send
            {
                async move { ::core::result::Result::Ok(#call?) }
            }
        },
        HookKind::Stop => quote! {
            const HAS_STOP: bool = true;

            #[allow(unused_variables)]
            fn stopped(
                &mut self,
                ctx: &mut #casty::Ctx<Self>,
            ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
                async move { #call }
            }
        },
        HookKind::Terminated => quote! {
            #[allow(unused_variables)]
            fn terminated(
                &mut self,
                msg: #casty::Terminated,
                ctx: &mut #casty::Ctx<Self>,
            ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
                async move { #call }
            }
        },
        HookKind::Error => quote! {
            fn failed(&mut self, msg: &#casty::Failure) -> #casty::Directive {
                #call
            }
        },
    }
}
