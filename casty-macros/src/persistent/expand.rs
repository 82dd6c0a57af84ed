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
    let events = Events::of(model);
    let (event_checks, replay, emits) = (events.checks, events.replay, events.emits);
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
            #event_checks
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

            #replay
        }

        #emits
    }
}

/// What is generated beside the fields where events change them.
#[derive(Default)]
struct Events {
    /// Bounds of `Persistent`.
    checks: TokenStream,
    /// `Persistent::replay`.
    replay: TokenStream,
    /// `impl Emits`.
    emits: TokenStream,
}

impl Events {
    fn of(model: &Model) -> Self {
        let Some(event) = &model.args.events else { return Self::default() };
        let (casty, ident) = (Casty, &model.item.ident);
        let (impl_generics, ty_generics, where_clause) = model.item.generics.split_for_impl();
        let (read, serde) = (casty.bound(event, "WireField"), quote!(#casty::serde));
        let applied = casty.bound(&quote!(#ident #ty_generics), "EventSourced");
        let upcasts = model.args.upcasts.iter().map(|upcast| {
            let (from, path) = (&upcast.from, &upcast.path);
            quote!(#from => #casty::read_event::<Self, _, #event>(stored, event, #path)?,)
        });
        Self {
            checks: quote! {
                #read,
                for<'a> #event: #serde::Serialize + #serde::de::DeserializeOwned,
                #applied,
                for<'a> #ident #ty_generics: #casty::EventSourced<Event = #event>,
            },
            replay: quote! {
                fn replay(&mut self, stored: u32, event: &[u8]) -> ::core::result::Result<(), #casty::StateError> {
                    let event = match stored {
                        #(#upcasts)*
                        _ => #casty::read_event::<Self, #event, #event>(stored, event, ::core::convert::identity)?,
                    };
                    #casty::EventSourced::apply(self, event);
                    ::core::result::Result::Ok(())
                }
            },
            emits: quote! {
                #[automatically_derived]
                impl #impl_generics #casty::Emits for #ident #ty_generics #where_clause {
                    type Event = #event;
                }
            },
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
    let events = match &args.events {
        None => quote!(::core::option::Option::None),
        Some(event) => {
            let (snapshot_every, upcast) = (args.snapshot_every().unwrap_or(1), args.upcasts.iter().map(|it| &it.from));
            quote! {
                ::core::option::Option::Some(#casty::EventsOf {
                    shape: #casty::Shape::of::<#event>,
                    snapshot_every: #snapshot_every,
                    upcast: &[#(#upcast),*],
                })
            }
        }
    };
    quote! {
        #casty::Layout {
            version: #version,
            fields: &[#(#fields),*],
            renamed: &[#(#renamed),*],
            removed: &[#(#removed),*],
            migrations: &[#(#migrations),*],
            events: #events,
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
    let emits = model.args.events.as_ref().map(|event| {
        quote! {
            impl #impl_generics #casty::Emits for #ident #ty_generics #where_clause {
                type Event = #event;
            }
        }
    });
    quote! {
        #item
        #emits
        impl #impl_generics #casty::Persistent for #ident #ty_generics #where_clause {
            const LAYOUT: &'static #casty::Layout = &#casty::Layout::NONE;
            fn save(&self, _: &mut #casty::Saver<'_>) -> ::core::result::Result<(), #casty::EncodeError> { loop {} }
            fn load(&mut self, _: &mut #casty::OldState) -> ::core::result::Result<(), #casty::StateError> { loop {} }
        }
    }
}
