//! `Self` in what the user wrote means the user's type; in a generated type it would mean that one.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Type;

/// The tokens of `ty`, with the user's type `me` in place of `Self`.
pub(crate) fn resolve(ty: impl ToTokens, me: &Type) -> TokenStream {
    replace(ty.to_token_stream(), me)
}

fn replace(tokens: TokenStream, me: &Type) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let in_path = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                out.extend(if in_path { quote!(<#me>) } else { quote!(#me) });
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace(group.stream(), me));
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
    fn self_is_the_users_type_wherever_it_stands() {
        let store: Type = syn::parse_quote!(Store<T>);
        let text = |tokens: TokenStream| resolve(tokens, &store).to_string().replace(' ', "");
        assert_eq!(text(quote!(Option<(Self, u8)>)), "Option<(Store<T>,u8)>");
        assert_eq!(text(quote!(Self::Item)), "<Store<T>>::Item");
        assert_eq!(text(quote!(Selfish)), "Selfish");
    }
}
