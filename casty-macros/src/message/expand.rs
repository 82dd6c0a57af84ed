//! What `#[message]` generates.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Visibility};

use super::model::Model;
use crate::path::{Casty, SERDE, SERDE_FIELD};
use crate::self_type;

/// The item with serde's traits, `Message` and `WireMessage`.
pub(crate) fn message(model: &Model) -> TokenStream {
    if model.args.local.is_some() {
        return local(model);
    }
    let types = model.field_types();
    // A type of `macro_rules!` may contain `$crate`, which cannot go through the text of serde's `bound`.
    let checked = !types.is_empty()
        && !model.has_attributes_of_serde()
        && !types.iter().any(|ty| ty.to_token_stream().to_string().contains("$crate"));
    let with_serde = if checked { checked_serde(model) } else { derived_serde(model) };
    let wire = wire_message(model);
    quote! {
        #with_serde
        #wire
    }
}

/// The item with `Message` alone.
fn local(model: &Model) -> TokenStream {
    let (casty, item, ident) = (Casty, &model.item, &model.item.ident);
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let predicates = where_clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
    let bound = (!item.generics.params.is_empty()).then(|| quote!(Self: ::core::marker::Send + 'static));
    quote! {
        #item

        #[automatically_derived]
        impl #impl_generics #casty::Message for #ident #ty_generics where #(#predicates,)* #bound {}
    }
}

/// The item with traits that do nothing, for when it has a mistake.
pub(crate) fn stub(model: &Model) -> TokenStream {
    let (casty, item, ident) = (Casty, &model.item, &model.item.ident);
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let predicates = where_clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
    let predicates = quote!(where #(#predicates,)* Self: ::core::marker::Send + 'static);
    quote! {
        #item
        impl #impl_generics #casty::Message for #ident #ty_generics #predicates {}
        impl #impl_generics #casty::WireMessage for #ident #ty_generics #predicates {
            const NAME: &'static str = "";
            const VERSION: u32 = 1;
            const TAG: u32 = 0;
            fn shape() -> #casty::Shape { loop {} }
            fn encode(&self, _: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), #casty::EncodeError> { loop {} }
            fn decode(_: &[u8]) -> ::core::result::Result<Self, #casty::DecodeError> { loop {} }
        }
    }
}

fn wire_message(model: &Model) -> TokenStream {
    let (casty, ident) = (Casty, &model.item.ident);
    let name = match &model.args.name {
        Some(name) => quote!(#name),
        None => quote!(::core::concat!(::core::module_path!(), "::", ::core::stringify!(#ident))),
    };
    let version = model.args.version.as_ref().map_or_else(|| quote!(1), |version| quote!(#version));
    quote! {
        #[automatically_derived]
        impl #casty::Message for #ident {}

        #[automatically_derived]
        impl #casty::WireMessage for #ident
        // That it is not `Send` is said by the `impl` above.
        where
            for<'a> #ident: #casty::Message,
        {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            const TAG: u32 = #casty::tag_of_version(
                <Self as #casty::WireMessage>::NAME,
                <Self as #casty::WireMessage>::VERSION,
            );

            fn shape() -> #casty::Shape {
                #casty::Shape::of::<Self>()
            }

            fn encode(&self, out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), #casty::EncodeError> {
                #casty::encode_into(self, out)
            }

            fn decode(bytes: &[u8]) -> ::core::result::Result<Self, #casty::DecodeError> {
                #casty::decode(bytes)
            }
        }
    }
}

fn derived_serde(model: &Model) -> TokenStream {
    let (casty, item) = (Casty, &model.item);
    quote! {
        #[derive(#casty::serde::Serialize, #casty::serde::Deserialize)]
        #[serde(crate = #SERDE)]
        #item
    }
}

/// The same traits by way of a copy of the item, so that a field that serde does not know is *one* error.
///
/// A plain derive reports such a field four times, in serde's words. Here the derive is put on a copy whose code is
/// bounded by the types of the fields. Where a bound does not hold, the traits of the item fall back to `NotSerde`
/// without a word, and the one check of the fields reports it. The bounds stand on the copy only: on the item they would
/// be a cycle if two messages contain each other.
fn checked_serde(model: &Model) -> TokenStream {
    let (casty, item, ident) = (Casty, &model.item, &model.item.ident);
    let name = ident.to_string();
    let me = syn::parse_quote!(#ident);
    let types: Vec<_> = model.field_types().into_iter().map(|ty| self_type::resolve(ty, &me)).collect();
    let copy = self_type::resolve(copy(item), &me);
    // `for<'a>` lets a bound be false: whether it holds is asked where it is used.
    let bounds: Vec<String> = types.iter().map(|ty| format!("for<'a> {ty}: {SERDE_FIELD}")).collect();
    let bounds = bounds.join(", ");
    let checks = types.iter().map(|ty| casty.bound(ty, "WireField"));
    quote! {
        #item

        const _: () = {
            #[allow(unused_imports)]
            use #casty::NotSerde as _;

            #[allow(dead_code, unused_qualifications)]
            #[derive(#casty::serde::Serialize, #casty::serde::Deserialize)]
            #[serde(crate = #SERDE, remote = #name, rename = #name, bound = #bounds)]
            #copy

            #[automatically_derived]
            impl #casty::serde::Serialize for #ident {
                fn serialize<S: #casty::serde::Serializer>(
                    &self,
                    serializer: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    __Copy::serialize(self, serializer)
                }
            }

            #[automatically_derived]
            impl<'de> #casty::serde::Deserialize<'de> for #ident {
                fn deserialize<D: #casty::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<Self, D::Error> {
                    __Copy::deserialize(deserializer)
                }
            }

            #[automatically_derived]
            impl #casty::Checked for #ident where #(#checks,)* {}
        };
    }
}

/// The item under another name, without what does not concern serde.
fn copy(item: &DeriveInput) -> DeriveInput {
    let mut copy = item.clone();
    copy.ident = syn::Ident::new("__Copy", item.ident.span());
    copy.vis = Visibility::Inherited;
    copy.attrs = Vec::new();
    let bare = |attrs: &mut Vec<Attribute>| attrs.clear();
    match &mut copy.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| bare(&mut field.attrs)),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                bare(&mut variant.attrs);
                variant.discriminant = None;
                variant.fields.iter_mut().for_each(|field| bare(&mut field.attrs));
            }
        }
        Data::Union(_) => {}
    }
    copy
}
