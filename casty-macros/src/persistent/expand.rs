//! What `#[persistent]` generates.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::check::{Field, Filled, unraw};
use super::model::Model;
use crate::path::Casty;

/// The item with `Persistent`.
pub(crate) fn persistent(model: &Model, fields: &[Field<'_>]) -> TokenStream {
    let (casty, item, ident) = (Casty, &model.item, &model.item.ident);
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let predicates = where_clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
    let types = fields.iter().map(|field| field.ty);
    let checks = types.clone().map(|ty| casty.bound(ty, "WireField"));
    // `for<'a>` lets a bound be false: that is said once, by the check.
    let serde = quote!(#casty::serde);
    let given = types.map(|ty| quote!(for<'a> #ty: #serde::Serialize + #serde::de::DeserializeOwned));
    let (layout, load) = (layout(model, fields), load(model, fields));
    let saves = fields.iter().map(|field| {
        let (name, member) = (field.name(), &field.member);
        quote!(saver.field(#name, &self.#member)?;)
    });
    quote! {
        #item

        #[automatically_derived]
        impl #impl_generics #casty::Persistent for #ident #ty_generics
        where
            #(#predicates,)*
            #(#checks,)*
            #(#given,)*
        {
            const LAYOUT: &'static #casty::Layout = &#layout;

            #[allow(unused_variables)]
            fn save(&self, saver: &mut #casty::Saver<'_>) -> ::core::result::Result<(), #casty::EncodeError> {
                #(#saves)*
                ::core::result::Result::Ok(())
            }

            #[allow(unused_variables)]
            fn load(&mut self, state: &mut #casty::OldState) -> ::core::result::Result<(), #casty::StateError> {
                #load
                ::core::result::Result::Ok(())
            }
        }
    }
}

/// The value of `Persistent::LAYOUT`.
fn layout(model: &Model, fields: &[Field<'_>]) -> TokenStream {
    let (casty, args) = (Casty, &model.args);
    // A version that cannot be read was reported.
    let version = args.version().unwrap_or(1);
    let fields = fields.iter().map(|field| {
        let (name, has_default, ty) = (field.name(), field.default.is_some(), field.ty);
        quote!(#casty::FieldOf { name: #name, has_default: #has_default, shape: #casty::Shape::of::<#ty> })
    });
    let renamed = args.renamed.iter().map(|renamed| {
        let (now, before) = (unraw(&renamed.now), unraw(&renamed.before));
        quote!((#now, #before))
    });
    let removed = args.removed.iter().map(unraw);
    let migrations = args.migrations.iter().map(|migration| {
        let (from, path) = (&migration.from, &migration.path);
        quote!((#from, #path))
    });
    quote! {
        #casty::Layout {
            version: #version,
            fields: &[#(#fields),*],
            renamed: &[#(#renamed),*],
            removed: &[#(#removed),*],
            migrations: &[#(#migrations),*],
        }
    }
}

/// All fields are read before any is replaced.
fn load(model: &Model, fields: &[Field<'_>]) -> TokenStream {
    let values: Vec<_> = (0..fields.len()).map(|at| format_ident!("_field{at}")).collect();
    let reads = fields.iter().zip(&values).map(|(field, value)| {
        let (name, ty) = (field.name(), field.ty);
        // Its type stands by itself, so that the compiler says of the function, and of it alone, that it has another.
        let default = match &field.default {
            None => return quote!(let #value: #ty = state.take(#name)?;),
            Some(Filled::Path(path)) => quote!(#path),
            Some(Filled::Default(at)) => quote_spanned!(at.span()=> <#ty as ::core::default::Default>::default),
        };
        quote! {
            let default: fn() -> #ty = #default;
            let #value: #ty = state.take_or(#name, default)?;
        }
    });
    let members = fields.iter().map(|field| &field.member);
    let after = model.args.after_restore.as_ref().map(|path| {
        quote! {
            let after: fn(&mut Self) = #path;
            after(self);
        }
    });
    quote! {
        #(#reads)*
        #(self.#members = #values;)*
        #after
    }
}

/// The item with a `Persistent` that does nothing, for when there is a mistake.
pub(crate) fn stub(model: &Model) -> TokenStream {
    let (casty, item, ident) = (Casty, &model.item, &model.item.ident);
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    quote! {
        #item
        impl #impl_generics #casty::Persistent for #ident #ty_generics #where_clause {
            const LAYOUT: &'static #casty::Layout = &#casty::Layout::NONE;
            fn save(&self, _: &mut #casty::Saver<'_>) -> ::core::result::Result<(), #casty::EncodeError> { loop {} }
            fn load(&mut self, _: &mut #casty::OldState) -> ::core::result::Result<(), #casty::StateError> { loop {} }
        }
    }
}
