//! A message that is made of the arguments of a `#[message]` method.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, FnArg, Ident, ImplItemFn, Meta, Pat, PatType, Type, Visibility};

use super::handler::{Arg, check_owned};
use crate::self_type;

/// The message of a method, as a struct with a field for each argument.
pub(crate) struct OwnMessage {
    /// The name of the struct.
    pub(crate) ident: Ident,
    /// The visibility of the struct and its fields.
    pub(crate) vis: TokenStream,
    /// The fields, in the order of the arguments.
    pub(crate) fields: Vec<Field>,
    /// What stands in the brackets of `#[message(…)]`.
    pub(crate) args: TokenStream,
}

/// An argument, and the field that carries it.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: TokenStream,
}

impl OwnMessage {
    /// Reads the message `ident` off a method, and what the method takes after `self`.
    pub(crate) fn parse(
        ident: Ident,
        method: &ImplItemFn,
        attr: &Attribute,
        actor: &Type,
    ) -> syn::Result<(Self, Vec<Arg>)> {
        let (mut args, mut fields): (Vec<Arg>, Vec<Field>) = (Vec::new(), Vec::new());
        for input in &method.sig.inputs {
            let FnArg::Typed(input) = input else { continue };
            let arg = match Arg::of(&input.ty) {
                Arg::Value => {
                    let field = Field::parse(input, actor)?;
                    let arg = Arg::Field(field.ident.clone());
                    fields.push(field);
                    arg
                }
                _ if args.iter().any(Arg::is_ctx) => {
                    return Err(syn::Error::new_spanned(input, "a handler takes its context once"));
                }
                ctx => ctx,
            };
            args.push(arg);
        }
        let vis = match &method.vis {
            Visibility::Inherited => quote!(pub),
            vis => vis.to_token_stream(),
        };
        let meta = match &attr.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                let message = "write `#[message]`, or `#[message(name = \"…\", version = 2)]` to fix the wire name and the version";
                return Err(syn::Error::new_spanned(pair, message));
            }
        };
        Ok((Self { ident, vis, fields, args: meta }, args))
    }
}

impl Field {
    fn parse(input: &PatType, actor: &Type) -> syn::Result<Self> {
        check_owned(&input.ty, "a message")?;
        match &*input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                Ok(Self { ident: pat.ident.clone(), ty: self_type::resolve(&input.ty, actor) })
            }
            pat => {
                let message =
                    "an argument becomes a field of the message: give it a name, and take it apart in the body";
                Err(syn::Error::new_spanned(pat, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn parse(method: ImplItemFn) -> Result<(OwnMessage, Vec<Arg>), String> {
        let attr = method.attrs.first().cloned().unwrap_or_else(|| parse_quote!(#[message]));
        let ident = parse_quote!(Rename);
        OwnMessage::parse(ident, &method, &attr, &parse_quote!(Account)).map_err(|error| error.to_string())
    }

    fn error(method: ImplItemFn) -> String {
        parse(method).err().unwrap()
    }

    #[test]
    fn arguments_are_the_fields_and_the_context_is_none() {
        let (message, args) = parse(parse_quote!(
            pub(crate) fn rename(&mut self, mut name: &'static str, ctx: &Ctx<Self>, friends: Vec<Self>) {}
        ))
        .unwrap();
        let fields: Vec<_> = message.fields.iter().map(|field| format!("{}: {}", field.ident, field.ty)).collect();
        assert_eq!(fields, ["name: & 'static str", "friends: Vec < Account >"]);
        assert_eq!(message.vis.to_string(), "pub (crate)");
        assert_eq!(args, [Arg::Field(parse_quote!(name)), Arg::Ctx, Arg::Field(parse_quote!(friends))]);
        assert!(message.args.is_empty());
    }

    #[test]
    fn the_wire_name_is_handed_on() {
        let (message, args) = parse(parse_quote!(
            #[message(name = "bank.Rename")]
            fn rename(&mut self) {}
        ))
        .unwrap();
        assert_eq!(message.args.to_string(), "name = \"bank.Rename\"");
        assert!(message.fields.is_empty() && args.is_empty());
        assert!(
            error(parse_quote!(
                #[message = "x"]
                fn rename(&mut self) {}
            ))
            .contains("to fix the wire name")
        );
    }

    #[test]
    fn an_argument_has_a_name_and_is_owned() {
        assert!(
            error(parse_quote!(
                fn rename(&mut self, _: String) {}
            ))
            .contains("give it a name")
        );
        assert!(
            error(parse_quote!(
                fn rename(&mut self, (a, b): (u8, u8)) {}
            ))
            .contains("give it a name")
        );
        assert!(
            error(parse_quote!(
                fn rename(&mut self, name: &str) {}
            ))
            .contains("not a reference")
        );
        assert!(
            error(parse_quote!(
                fn rename(&mut self, name: impl Into<String>) {}
            ))
            .contains("name it")
        );
        assert!(
            error(parse_quote!(
                fn rename(&mut self, a: &Ctx<Self>, b: &Ctx<Self>) {}
            ))
            .contains("once")
        );
    }
}
