//! `fn new(..) -> Self` as a way to make the actor on another node.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, Ident, ImplItemFn, ReturnType, Type};

use super::model::last_ident;
use crate::{attr, self_type};

/// The types of what `new` takes, if it is a plain function of owned values that is there in every build. Whether they can
/// travel is not known here: where they cannot, nothing comes of it.
pub(super) fn made_of(method: &ImplItemFn, ident: &Ident, actor: &Type) -> Option<Vec<TokenStream>> {
    let sig = &method.sig;
    let is_plain = sig.ident == "new"
        && sig.asyncness.is_none()
        && sig.generics.params.is_empty()
        && attr::find(&method.attrs, &["cfg", "cfg_attr"]).is_none();
    let gives_self = match &sig.output {
        ReturnType::Type(_, ty) => last_ident(ty).is_some_and(|name| name == "Self" || name == ident),
        ReturnType::Default => false,
    };
    if !is_plain || !gives_self {
        return None;
    }
    let types = sig.inputs.iter().map(|input| match input {
        FnArg::Typed(input) if is_owned(input.ty.to_token_stream()) => Some(self_type::resolve(&input.ty, actor)),
        FnArg::Typed(_) | FnArg::Receiver(_) => None,
    });
    types.collect()
}

/// Whether the type has no `&`, no lifetime, no `impl` and no `dyn` in it.
fn is_owned(ty: TokenStream) -> bool {
    ty.into_iter().all(|token| match token {
        TokenTree::Ident(ident) => ident != "impl" && ident != "dyn",
        TokenTree::Group(group) => is_owned(group.stream()),
        TokenTree::Punct(punct) => !matches!(punct.as_char(), '&' | '\'' | '*'),
        TokenTree::Literal(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};
    use syn::parse_quote;

    use super::*;

    fn types(method: TokenStream) -> Option<Vec<String>> {
        let method = syn::parse2(method).unwrap();
        let types = made_of(&method, &format_ident!("Account"), &parse_quote!(Account))?;
        Some(types.iter().map(|ty| ty.to_string().replace(' ', "")).collect())
    }

    #[test]
    fn a_plain_new_of_owned_values_is_read() {
        assert_eq!(
            types(quote!(
                fn new() -> Self {}
            )),
            Some(vec![])
        );
        let two = types(quote!(
            pub fn new(a: u64, b: Vec<String>) -> Account {}
        ));
        assert_eq!(two, Some(vec!["u64".to_owned(), "Vec<String>".to_owned()]));
    }

    #[test]
    fn no_other_new_is_taken() {
        for not in [
            quote!(
                fn make() -> Self {}
            ),
            quote!(
                fn new() -> Result<Self, Error> {}
            ),
            quote!(
                async fn new() -> Self {}
            ),
            quote!(
                fn new(name: impl Into<String>) -> Self {}
            ),
            quote!(
                fn new(name: &'static str) -> Self {}
            ),
            quote!(
                fn new<T>(value: T) -> Self {}
            ),
            quote!(
                #[cfg(test)]
                fn new() -> Self {}
            ),
            quote!(
                fn new(&self) -> Self {}
            ),
        ] {
            assert_eq!(types(not), None);
        }
    }
}
