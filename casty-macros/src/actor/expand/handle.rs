//! The handle: the typed methods that every reference to the actor has.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Visibility;

use super::Names;
use crate::actor::handler::Handler;
use crate::actor::model::Model;
use crate::actor::own_message::Field;
use crate::attr;
use crate::path::Casty;

/// `struct AccountHandle<T>` and its methods.
pub(super) fn handle(model: &Model, names: &Names<'_>) -> TokenStream {
    let (casty, actor, handle) = (Casty, names.actor, &names.handle);
    let (impl_generics, ty_generics, where_clause) = names.handle_generics.split_for_impl();
    let predicates = where_clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
    let methods = model.handlers.iter().map(|handler| method(handler, names));
    let phantom = model.is_generic().then(|| quote!(, ::core::marker::PhantomData<fn() -> #actor>));
    let no_phantom = model.is_generic().then(|| quote!(, ::core::marker::PhantomData));
    let doc = format!(
        " What can be asked of an [`{}`], wherever it runs. Every reference to one derefs to this.",
        model.ident
    );
    quote! {
        #[doc = #doc]
        #[allow(missing_debug_implementations, private_bounds, private_interfaces, unreachable_pub)]
        pub struct #handle #impl_generics (__T #phantom) #where_clause;

        #[automatically_derived]
        impl #impl_generics ::core::convert::From<__T> for #handle #ty_generics #where_clause {
            #[inline]
            fn from(target: __T) -> Self {
                Self(target #no_phantom)
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::convert::AsRef<__T> for #handle #ty_generics #where_clause {
            #[inline]
            fn as_ref(&self) -> &__T {
                &self.0
            }
        }

        #[automatically_derived]
        #[allow(
            dead_code,
            private_bounds,
            private_interfaces,
            unreachable_pub,
            clippy::should_implement_trait,
            clippy::too_many_arguments,
            clippy::wrong_self_convention
        )]
        impl #impl_generics #handle #ty_generics
        where
            #(#predicates,)*
            __T: #casty::Target<#actor>,
        {
            #(#methods)*
        }
    }
}

fn method(handler: &Handler, names: &Names<'_>) -> TokenStream {
    let (casty, actor) = (Casty, names.actor);
    let Handler { ident, message, attrs, .. } = handler;
    let vis = match &handler.vis {
        Visibility::Inherited => quote!(pub),
        vis => quote!(#vis),
    };
    let doc = attr::find(attrs, &["doc"]).is_none().then(|| {
        let doc = format!(" Asks the handler `{ident}`.");
        quote!(#[doc = #doc])
    });
    let (params, msg) = match &handler.own {
        Some(own) => {
            let params = own.fields.iter().map(|Field { ident, ty }| quote!(#ident: #ty));
            let fields = own.fields.iter().map(|Field { ident, .. }| ident);
            (quote!(#(#params),*), quote!(#message { #(#fields),* }))
        }
        None => (quote!(msg: #message), quote!(msg)),
    };
    // The span of the handler's name is what leads an editor from a call to the handler.
    let signature = quote_spanned!(ident.span()=> fn #ident);
    quote! {
        #doc
        #(#attrs)*
        #[inline]
        #vis #signature(&self, #params) -> #casty::Request<'_, #actor, __T, #message> {
            #casty::Request::new(&self.0, #msg)
        }
    }
}
