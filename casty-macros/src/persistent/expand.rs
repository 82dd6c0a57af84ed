//! What `#[persistent]` generates.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Index;

use super::check::Field;
use super::model::Model;
use crate::path::Casty;

/// How many fields stand in one tuple: serde knows tuples of up to 16 parts.
const TUPLE_PARTS_MAX: usize = 16;

/// The item with `Persistent`.
pub(crate) fn persistent(model: &Model, fields: &[Field<'_>]) -> TokenStream {
    let (casty, item, ident) = (Casty, &model.item, &model.item.ident);
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let predicates = where_clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
    let types: Vec<_> = fields.iter().map(|field| field.ty).collect();
    let members: Vec<_> = fields.iter().map(|field| &field.member).collect();
    let values: Vec<_> = members.iter().map(|member| quote!(&self.#member)).collect();
    let (values, tuple) = (nested(&values), nested(&types));
    let checks = types.iter().map(|ty| casty.bound(ty, "WireField"));
    // `for<'a>` lets a bound be false: that is said once, by the check.
    let serde = quote!(#casty::serde);
    let given = types.iter().map(|ty| quote!(for<'a> #ty: #serde::Serialize + #serde::de::DeserializeOwned));
    let places = (0..fields.len()).map(|at| place(at, fields.len()));
    quote! {
        #item

        #[automatically_derived]
        impl #impl_generics #casty::Persistent for #ident #ty_generics
        where
            #(#predicates,)*
            #(#checks,)*
            #(#given,)*
        {
            fn save(&self, out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), #casty::EncodeError> {
                #casty::encode_into(&#values, out)
            }

            fn load(&mut self, bytes: &[u8]) -> ::core::result::Result<(), #casty::DecodeError> {
                let _state: #tuple = #casty::decode(bytes)?;
                #(self.#members = _state #places;)*
                ::core::result::Result::Ok(())
            }
        }
    }
}

/// The item with a `Persistent` that does nothing, for when there is a mistake.
pub(crate) fn stub(model: &Model) -> TokenStream {
    let (casty, item, ident) = (Casty, &model.item, &model.item.ident);
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    quote! {
        #item
        impl #impl_generics #casty::Persistent for #ident #ty_generics #where_clause {
            fn save(&self, _: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), #casty::EncodeError> { loop {} }
            fn load(&mut self, _: &[u8]) -> ::core::result::Result<(), #casty::DecodeError> { loop {} }
        }
    }
}

/// `(a, b, …,)`, or, if there are too many, `((a, b, …,), (q, r, …,))` and so on. On the wire it makes no difference.
fn nested<T: ToTokens>(parts: &[T]) -> TokenStream {
    if parts.len() <= TUPLE_PARTS_MAX {
        return if parts.is_empty() { quote!(()) } else { quote!((#(#parts,)*)) };
    }
    let (first, rest) = parts.split_at(TUPLE_PARTS_MAX);
    let rest = nested(rest);
    quote!(((#(#first,)*), #rest))
}

/// Where part number `at` of `count` stands in what [`nested`] makes: `.1.1.0.7`, for example.
fn place(at: usize, count: usize) -> TokenStream {
    let part = Index::from(at % TUPLE_PARTS_MAX);
    let (tuple, last) = (at / TUPLE_PARTS_MAX, count.saturating_sub(1) / TUPLE_PARTS_MAX);
    let steps = std::iter::repeat_n(quote!(.1), tuple);
    let first = (tuple < last).then(|| quote!(.0));
    quote!(#(#steps)* #first .#part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tokens: &TokenStream) -> String {
        tokens.to_string().replace(' ', "")
    }

    #[test]
    fn every_part_is_found_where_it_was_put() {
        for count in [1, 16, 17, 33] {
            let parts: Vec<_> = (0..count).map(Index::from).collect();
            let tuple: syn::Expr = syn::parse2(nested(&parts)).unwrap();
            for at in 0..count {
                let mut found = &tuple;
                for step in text(&place(at, count)).split('.').skip(1) {
                    let syn::Expr::Tuple(parts) = found else { panic!("no tuple") };
                    found = &parts.elems[step.parse::<usize>().unwrap()];
                }
                assert_eq!(text(&found.to_token_stream()), at.to_string());
            }
        }
        assert_eq!(text(&nested::<Index>(&[])), "()");
    }
}
