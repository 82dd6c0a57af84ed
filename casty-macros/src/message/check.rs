//! What can be wrong with a message.

use syn::{Attribute, Data, GenericParam, Path, Token, punctuated::Punctuated};

use super::model::Model;
use crate::errors::Errors;

/// Collects what is wrong with `model`.
pub(crate) fn check(model: &Model, errors: &mut Errors) {
    let local = model.args.local.is_some();
    if let (Data::Union(data), false) = (&model.item.data, local) {
        errors.add(data.union_token, "a message is a struct or an enum: serde cannot write a union");
    }
    match model.item.generics.params.first() {
        Some(GenericParam::Lifetime(lifetime)) => {
            errors.add(lifetime, "a message owns what it carries: it has no lifetimes (use `String` for `&str`)");
        }
        Some(param) if !local => errors.add(
            param,
            "a message has no generic parameters: its wire name stands for one type. Define a message for each type, or \
             write `#[message(local)]` if it never leaves its node",
        ),
        Some(_) | None => {}
    }
    if local {
        return;
    }
    for derived in model.item.attrs.iter().filter_map(derive_of_serde) {
        errors.add(derived, "`#[message]` derives `Serialize` and `Deserialize`: leave this out");
    }
}

fn derive_of_serde(attr: &Attribute) -> Option<Path> {
    if !attr.path().is_ident("derive") {
        return None;
    }
    let derives = attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok()?;
    derives
        .into_iter()
        .find(|path| path.segments.last().is_some_and(|last| last.ident == "Serialize" || last.ident == "Deserialize"))
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::attr::Args;

    fn messages(item: TokenStream) -> Vec<String> {
        messages_of(Args::default(), item)
    }

    fn messages_of(args: Args, item: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        check(&Model::parse(item, args).unwrap(), &mut errors);
        errors.messages()
    }

    #[test]
    fn structs_and_enums_are_messages() {
        assert_eq!(
            messages(quote!(
                struct A;
            )),
            [""; 0]
        );
        assert_eq!(
            messages(quote!(
                #[derive(Debug)]
                enum A {
                    B,
                    C(u8),
                }
            )),
            [""; 0]
        );
    }

    #[test]
    fn a_local_message_may_be_generic_but_owns_what_it_carries() {
        let local = || Args::parse(quote!(local)).unwrap();
        assert_eq!(
            messages_of(
                local(),
                quote!(
                    struct A<T: Ord>(T);
                )
            ),
            [""; 0]
        );
        assert_eq!(
            messages_of(
                local(),
                quote!(
                    #[derive(Serialize)]
                    struct A;
                )
            ),
            [""; 0]
        );
        assert!(
            messages_of(
                local(),
                quote!(
                    struct A<'a>(&'a str);
                )
            )[0]
            .contains("no lifetimes")
        );
    }

    #[test]
    fn generics_lifetimes_and_second_derives_are_refused() {
        assert!(
            messages(quote!(
                struct A<T>(T);
            ))[0]
                .contains("no generic parameters")
        );
        assert!(
            messages(quote!(
                struct A<'a>(&'a str);
            ))[0]
                .contains("no lifetimes")
        );
        assert!(
            messages(quote!(
                #[derive(Debug, serde::Serialize)]
                struct A;
            ))[0]
                .contains("leave this out")
        );
        assert!(messages(quote!(union A { a: u8 }))[0].contains("union"));
    }
}
