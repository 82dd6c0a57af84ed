//! One `#[handler]` or `#[message]` method.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{
    Attribute, FnArg, Generics, Ident, ImplItemFn, Receiver, ReceiverKind, ReturnType, Safety, Type, Visibility,
};

use super::model::last_ident;
use super::own_message::OwnMessage;
use crate::{attr, self_type};

/// A method that handles a message.
pub(crate) struct Handler {
    /// The name of the method.
    pub(crate) ident: Ident,
    /// The variant of the mailbox's enum.
    pub(crate) variant: Ident,
    /// The type of the message.
    pub(crate) message: TokenStream,
    /// The message itself, where the arguments are what it is made of.
    pub(crate) own: Option<OwnMessage>,
    /// The type of the reply.
    pub(crate) reply: TokenStream,
    /// Whether the reply is written as a `Result`.
    pub(crate) is_result: bool,
    /// Whether the method takes `&self`.
    pub(crate) is_read: bool,
    /// Whether it is an `async fn`.
    pub(crate) is_async: bool,
    /// What it takes after `self`, in order.
    pub(crate) args: Vec<Arg>,
    /// The visibility of the method.
    pub(crate) vis: Visibility,
    /// The attributes that its method of the handle has too.
    pub(crate) attrs: Vec<Attribute>,
}

/// An argument of a handler or a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    /// The message, or a hook's own argument.
    Value,
    /// A field of the message.
    Field(Ident),
    /// `&Ctx<Self>`
    Ctx,
    /// `&mut Ctx<Self>`
    CtxMut,
}

impl Arg {
    /// Tells by its type what an argument is.
    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Reference(reference) if last_ident(&reference.elem).is_some_and(|name| name == "Ctx") => {
                if is_mut(reference) { Self::CtxMut } else { Self::Ctx }
            }
            _ => Self::Value,
        }
    }

    /// Whether it is the context.
    pub(crate) fn is_ctx(&self) -> bool {
        matches!(self, Self::Ctx | Self::CtxMut)
    }
}

impl Handler {
    /// Reads a method; `message` is its attribute `#[message]`, if it has that one. What makes it unusable as a handler is
    /// an error.
    pub(crate) fn parse(method: &ImplItemFn, message: Option<&Attribute>, actor: &Type) -> syn::Result<Self> {
        let sig = &method.sig;
        let is_read = match receiver(method) {
            Some(receiver) => !is_exclusive(receiver)?,
            None => {
                let message = "a handler is a method: it takes `&self` to read or `&mut self` to write";
                return Err(syn::Error::new(sig.ident.span(), message));
            }
        };
        check_form(method)?;
        let variant = variant(&sig.ident);
        let (args, message, own) = match message {
            Some(attr) => {
                let (own, args) = OwnMessage::parse(variant.clone(), method, attr, actor)?;
                (args, variant.to_token_stream(), Some(own))
            }
            None => {
                let (args, message) = arguments(method)?;
                (args, self_type::resolve(message, actor), None)
            }
        };
        let (reply, is_result) = match &sig.output {
            ReturnType::Default => (quote_spanned!(sig.ident.span()=> ()), false),
            ReturnType::Type(_, ty) => {
                check_owned(ty, "a reply")?;
                (self_type::resolve(ty, actor), last_ident(ty).is_some_and(|name| name == "Result"))
            }
        };
        Ok(Self {
            variant,
            ident: sig.ident.clone(),
            message,
            own,
            reply,
            is_result,
            is_read,
            is_async: sig.asyncness.is_some(),
            args,
            vis: method.vis.clone(),
            attrs: method.attrs.iter().filter(|attr| is_shared(attr)).cloned().collect(),
        })
    }
}

impl Handler {
    /// Whether its message is one of these type parameters.
    pub(crate) fn is_parameter(&self, generics: &Generics) -> bool {
        let message = self.message.to_string();
        generics.type_params().any(|parameter| parameter.ident == message)
    }
}

/// The `self` of a method.
pub(crate) fn receiver(method: &ImplItemFn) -> Option<&Receiver> {
    match method.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => Some(receiver),
        _ => None,
    }
}

/// Whether the receiver is `&mut self`; `&self` is not, and any other is an error.
pub(crate) fn is_exclusive(receiver: &Receiver) -> syn::Result<bool> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => Ok(mutability.is_some()),
        ReceiverKind::Typed(_, ty) if let Type::Reference(reference) = &**ty => Ok(is_mut(reference)),
        _ => Err(syn::Error::new_spanned(receiver, "the actor outlives the message: take `&self` or `&mut self`")),
    }
}

fn is_mut(reference: &syn::TypeReference) -> bool {
    reference.mutability.is_some()
}

fn is_static(reference: &syn::TypeReference) -> bool {
    reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")
}

fn is_shared(attr: &Attribute) -> bool {
    attr::find(std::slice::from_ref(attr), &["doc", "deprecated"]).is_some()
}

fn check_form(method: &ImplItemFn) -> syn::Result<()> {
    let sig = &method.sig;
    if !sig.generics.params.is_empty() {
        let message = "a handler has no generic parameters: it handles one type of message";
        return Err(syn::Error::new_spanned(&sig.generics, message));
    }
    if let Some(cfg) = attr::find(&method.attrs, &["cfg", "cfg_attr"]) {
        let message =
            "a handler is there in every build, since other nodes may send its message: put `#[cfg]` into its body";
        return Err(syn::Error::new_spanned(cfg, message));
    }
    match &sig.safety {
        Safety::Unsafe(token) => Err(syn::Error::new_spanned(token, "a handler is called by the runtime: it is safe")),
        _ => Ok(()),
    }
}

/// The arguments after `self`, and the type of the message among them.
fn arguments(method: &ImplItemFn) -> syn::Result<(Vec<Arg>, &Type)> {
    let (mut args, mut message, mut has_ctx) = (Vec::new(), None, false);
    for input in &method.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let arg = Arg::of(&input.ty);
        if arg == Arg::Value {
            if message.is_some() {
                let what = "a handler takes one message: put both into one `#[message]` struct, or write `#[message]` in place of `#[handler]`";
                return Err(syn::Error::new_spanned(input, what));
            }
            check_owned(&input.ty, "a message")?;
            message = Some(&*input.ty);
        } else if std::mem::replace(&mut has_ctx, true) {
            return Err(syn::Error::new_spanned(input, "a handler takes its context once"));
        }
        args.push(arg);
    }
    let name = &method.sig.ident;
    let example = variant(name);
    let missing = format!("a handler takes a message: define `#[message] struct {example};` and take `_: {example}`");
    message.map(|message| (args, message)).ok_or_else(|| syn::Error::new(name.span(), missing))
}

/// Whether a message or a reply can be of this type.
pub(crate) fn check_owned(ty: &Type, what: &str) -> syn::Result<()> {
    match ty {
        Type::Reference(reference) if !is_static(reference) => {
            let message = format!("{what} is handed over: it is an owned value and not a reference");
            Err(syn::Error::new_spanned(ty, message))
        }
        Type::ImplTrait(_) => {
            let message = format!("the type of {what} is part of the actor's interface: name it, in place of `impl`");
            Err(syn::Error::new_spanned(ty, message))
        }
        _ => Ok(()),
    }
}

/// `get_balance` -> `GetBalance`.
fn variant(method: &Ident) -> Ident {
    let text = method.to_string();
    let words = text.trim_start_matches("r#").split('_').filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        let mut chars = word.chars();
        name.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(chars.as_str());
    }
    // `self_` and `__` and `_1` would not make a name.
    if name == "Self" || !name.starts_with(|first: char| first.is_alphabetic()) {
        name.insert(0, '_');
    }
    Ident::new(&name, Span::call_site().located_at(method.span()))
}

impl ToTokens for Arg {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Value => quote::quote!(msg),
            Self::Field(name) => quote::quote!(msg.#name),
            Self::Ctx => quote::quote!(&*ctx),
            Self::CtxMut => quote::quote!(ctx),
        });
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn parse(method: TokenStream) -> Result<Handler, String> {
        let method = syn::parse2(method).unwrap();
        Handler::parse(&method, None, &parse_quote!(Account)).map_err(|error| error.to_string())
    }

    fn error(method: TokenStream) -> String {
        parse(method).err().unwrap()
    }

    #[test]
    fn a_handler_is_read_from_its_signature() {
        let read = parse(quote!(
            fn a(&self, ctx: &casty::Ctx<Self>, _: Get) -> io::Result<Vec<Self>> {}
        ))
        .unwrap();
        assert!(read.is_read && read.is_result && !read.is_async);
        assert_eq!(read.args, [Arg::Ctx, Arg::Value]);
        assert_eq!(read.reply.to_string().replace(' ', ""), "io::Result<Vec<Account>>");

        let write = parse(quote!(
            async fn a(self: &mut Self, msg: Put, ctx: &mut Ctx<Self>) {}
        ))
        .unwrap();
        assert!(!write.is_read && !write.is_result && write.is_async);
        assert_eq!(write.args, [Arg::Value, Arg::CtxMut]);
        assert_eq!(write.reply.to_string(), "()");
    }

    #[test]
    fn what_is_no_handler_is_refused() {
        assert!(
            error(quote!(
                fn a(msg: Get) {}
            ))
            .contains("takes `&self`")
        );
        assert!(
            error(quote!(
                fn a(self, msg: Get) {}
            ))
            .contains("outlives")
        );
        assert!(
            error(quote!(
                fn a(&self) {}
            ))
            .contains("takes a message")
        );
        assert!(
            error(quote!(
                fn a(&self, x: A, y: B) {}
            ))
            .contains("one message")
        );
        assert!(
            error(quote!(
                fn a(&self, x: A, c: &Ctx<Self>, d: &Ctx<Self>) {}
            ))
            .contains("once")
        );
        assert!(
            error(quote!(
                fn a<T>(&self, x: T) {}
            ))
            .contains("generic")
        );
        assert!(
            error(quote!(
                fn a(&self, x: &A) {}
            ))
            .contains("not a reference")
        );
        assert!(
            error(quote!(
                fn a(&self, x: A) -> &str {}
            ))
            .contains("not a reference")
        );
        assert!(
            error(quote!(
                fn a(&self, x: impl Into<A>) {}
            ))
            .contains("name it")
        );
        assert!(
            error(quote!(
                #[cfg(test)]
                fn a(&self, x: A) {}
            ))
            .contains("every build")
        );
    }

    #[test]
    fn variants_are_named_after_methods() {
        let name = |method: &str| variant(&Ident::new(method, Span::call_site())).to_string();
        assert_eq!(name("get_balance"), "GetBalance");
        assert_eq!(name("balance"), "Balance");
        assert_eq!(name("self_"), "_Self");
        assert_eq!(name("_1"), "_1");
        assert_eq!(variant(&Ident::new_raw("type", Span::call_site())).to_string(), "Type");
    }
}
