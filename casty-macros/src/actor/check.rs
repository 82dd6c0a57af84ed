//! What can be wrong with an actor whose methods are right by themselves.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::{GenericParam, Ident};

use super::model::Model;
use crate::errors::Errors;

/// The methods that references and handles have. One of a handler's would be hidden by it, or hide it.
const RESERVED: &[&str] = &[
    "address",
    "as_ref",
    "ask",
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "clone_into",
    "cmp",
    "deref",
    "drain",
    "drop",
    "entity",
    "eq",
    "fmt",
    "from",
    "hash",
    "id",
    "into",
    "is_stopped",
    "name",
    "ne",
    "recipient",
    "send",
    "stale",
    "stop",
    "stopped",
    "timeout",
    "to_owned",
    "to_string",
    "try_from",
    "try_into",
    "try_send",
    "type_id",
];

/// Collects what is wrong with `model`, and takes the handlers that are wrong out of it.
pub(crate) fn check(model: &mut Model, errors: &mut Errors) {
    for param in &model.block.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.add(lifetime, "an actor owns its state, which lives as long as it: it has no lifetimes");
        }
    }
    let params: Vec<_> = model.block.generics.type_params().map(|param| param.ident.clone()).collect();
    let generics = model.block.generics.clone();
    // The handler of a type parameter, and the first of any.
    let (mut alone, mut first) = (None::<Ident>, None::<Ident>);
    let mut messages: HashMap<String, Ident> = HashMap::new();
    let mut variants: HashMap<String, Ident> = HashMap::new();
    model.handlers.retain(|handler| {
        let name = &handler.ident;
        if is_reserved(name) {
            errors.add(name, format!("every reference has a method `{name}` already: give the handler another name"));
            return false;
        }
        let own = handler.own.iter().flat_map(|own| &own.fields);
        if let Some(field) = own.into_iter().find(|field| params.iter().any(|param| mentions(&field.ty, param))) {
            let message = "a message has no generic parameters: define a type for the message, and a `#[handler]`";
            errors.add(&field.ty, message);
            return false;
        }
        if let Some(other) = messages.insert(handler.message.to_string(), name.clone()) {
            let message = format!("`{other}` handles this message already: a message has one handler");
            errors.add(&handler.message, message);
            return false;
        }
        let is_parameter = handler.is_parameter(&generics);
        if let Some(other) = alone.as_ref().or(first.as_ref().filter(|_| is_parameter)) {
            let message = format!("`{other}` may handle this message too, since one of them is a type parameter: an actor that handles its own parameter handles nothing else");
            errors.add(&handler.message, message);
            return false;
        }
        if is_parameter {
            alone = Some(name.clone());
        }
        first.get_or_insert_with(|| name.clone());
        if let Some(other) = variants.insert(handler.variant.to_string(), name.clone()) {
            let variant = &handler.variant;
            let message = format!("`{other}` and `{name}` would both be the variant `{variant}`: rename one of them");
            errors.add(name, message);
            return false;
        }
        true
    });
}

fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn is_reserved(name: &Ident) -> bool {
    RESERVED.iter().any(|reserved| name == reserved)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn messages(block: TokenStream) -> (usize, Vec<String>) {
        let mut errors = Errors::default();
        let mut model = Model::parse(block, crate::attr::Args::default(), &mut errors).unwrap();
        check(&mut model, &mut errors);
        (model.handlers.len(), errors.messages())
    }

    #[test]
    fn a_handler_may_not_be_named_like_a_method_of_references() {
        let (left, errors) = messages(quote!(impl A { #[handler] fn stop(&mut self, _: Stop) {} }));
        assert_eq!(left, 0);
        assert_eq!(errors, ["every reference has a method `stop` already: give the handler another name"]);
    }

    #[test]
    fn a_message_has_one_handler() {
        let (left, errors) = messages(quote! {
            impl A { #[handler] fn a(&self, _: Get) {} #[handler] fn b(&self, _: Get) {} }
        });
        assert_eq!(left, 1);
        assert_eq!(errors, ["`a` handles this message already: a message has one handler"]);
    }

    #[test]
    fn two_handlers_do_not_share_a_variant() {
        let (_, errors) = messages(quote! {
            impl A { #[handler] fn a_b(&self, _: X) {} #[handler] fn a__b(&self, _: Y) {} }
        });
        assert_eq!(errors, ["`a_b` and `a__b` would both be the variant `AB`: rename one of them"]);
    }

    #[test]
    fn a_message_of_arguments_is_not_generic() {
        let (left, errors) = messages(quote!(
            impl<T> A<T> {
                #[message]
                fn put(&mut self, values: Vec<(T, u8)>) {}
            }
        ));
        assert_eq!(left, 0);
        assert!(errors[0].contains("no generic parameters"), "{errors:?}");
        let (left, errors) = messages(quote!(
            impl<T> A<T> {
                #[message]
                fn put(&mut self, values: Vec<u8>) {}
            }
        ));
        assert_eq!((left, errors.len()), (1, 0));
    }

    #[test]
    fn an_actor_has_no_lifetimes() {
        assert!(
            messages(quote!(
                impl<'a> A<'a> {}
            ))
            .1[0]
                .contains("no lifetimes")
        );
    }
}
