//! `Self` in a handler's signature means the actor; in the generated enum and handle it would mean these.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Type;

/// The tokens of `ty`, with the actor's type in place of `Self`.
pub(crate) fn resolve(ty: impl ToTokens, actor: &Type) -> TokenStream {
    replace(ty.to_token_stream(), actor)
}

fn replace(tokens: TokenStream, actor: &Type) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let in_path = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                out.extend(if in_path { quote!(<#actor>) } else { quote!(#actor) });
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace(group.stream(), actor));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn self_is_the_actor_wherever_it_stands() {
        let actor: Type = syn::parse_quote!(Store<T>);
        let text = |tokens: TokenStream| resolve(tokens, &actor).to_string().replace(' ', "");
        assert_eq!(text(quote!(Option<(Self, u8)>)), "Option<(Store<T>,u8)>");
        assert_eq!(text(quote!(Self::Item)), "<Store<T>>::Item");
        assert_eq!(text(quote!(Selfish)), "Selfish");
    }
}
