//! The messages that are made of arguments.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use crate::actor::handler::Handler;
use crate::actor::model::Model;
use crate::actor::own_message::{Field, OwnMessage};
use crate::message;

/// `struct Rename` for the method `rename`, and so on.
pub(super) fn messages(model: &Model) -> TokenStream {
    let own = |handler: &Handler| {
        let OwnMessage { ident, vis, fields, args } = handler.own.as_ref()?;
        let doc = format!(" What [`{}::{}`] is asked with.", model.ident, handler.ident);
        let fields = fields.iter().map(|Field { ident, ty }| quote!(#vis #ident: #ty));
        let body = if fields.len() == 0 { quote!(;) } else { quote!({ #(#fields,)* }) };
        // The compiler reports a second type of this name where the item begins: at the method.
        let keyword = quote_spanned!(ident.span()=> struct);
        let item = quote! {
            #[doc = #doc]
            #[allow(
                missing_debug_implementations,
                missing_docs,
                private_interfaces,
                unreachable_pub,
                clippy::pub_underscore_fields
            )]
            #vis #keyword #ident #body
        };
        let args = match &model.args.local {
            Some(local) if args.is_empty() => local.to_token_stream(),
            None if args.is_empty() && model.is_generic() => quote!(local),
            _ => args.clone(),
        };
        Some(message::expand(args, item))
    };
    model.handlers.iter().filter_map(own).collect()
}
