//! The methods that the runtime calls by name: `on_start`, `on_stop`, `on_error`, `on_terminated`.

use syn::{FnArg, Ident, ImplItemFn, ReturnType, Type};

use super::handler::{self, Arg};
use super::model::last_ident;
use crate::attr;

/// Which hook it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookKind {
    /// Before the first message.
    Start,
    /// After the last.
    Stop,
    /// After a failure.
    Error,
    /// After the end of an actor that is watched.
    Terminated,
}

/// A hook with the right signature.
pub(crate) struct Hook {
    /// Which it is.
    pub(crate) kind: HookKind,
    /// The name of the method, with its span.
    pub(crate) ident: Ident,
    /// Whether it is an `async fn`.
    pub(crate) is_async: bool,
    /// What it takes after `self`.
    pub(crate) args: Vec<Arg>,
}

impl HookKind {
    /// The hook of this name.
    pub(crate) fn of(method: &Ident) -> Option<Self> {
        [Self::Start, Self::Stop, Self::Error, Self::Terminated].into_iter().find(|kind| method == kind.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Start => "on_start",
            Self::Stop => "on_stop",
            Self::Error => "on_error",
            Self::Terminated => "on_terminated",
        }
    }

    fn form(self) -> &'static str {
        match self {
            Self::Start => {
                "write `async fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError>`; `async` and `ctx` may be left out"
            }
            Self::Stop => "write `async fn on_stop(&mut self, ctx: &mut Ctx<Self>)`; `async` and `ctx` may be left out",
            Self::Error => "write `fn on_error(&mut self, failure: &Failure) -> Directive`",
            Self::Terminated => {
                "write `async fn on_terminated(&mut self, terminated: Terminated, ctx: &mut Ctx<Self>)`; `async` and `ctx` may be left out"
            }
        }
    }
}

impl Hook {
    /// Reads a method that has the name of a hook.
    pub(crate) fn parse(kind: HookKind, method: &ImplItemFn) -> syn::Result<Self> {
        let wrong = |at: &dyn quote::ToTokens, what: &str| {
            syn::Error::new_spanned(at, format!("`{}` {what}: {}", kind.name(), kind.form()))
        };
        let sig = &method.sig;
        match handler::receiver(method) {
            None => return Err(wrong(&sig.ident, "takes `&mut self`")),
            Some(receiver) if !handler::is_exclusive(receiver).unwrap_or(false) => {
                return Err(wrong(receiver, "takes `&mut self`"));
            }
            Some(_) => {}
        }
        if !sig.generics.params.is_empty() {
            return Err(wrong(&sig.generics, "has no generic parameters"));
        }
        if let Some(cfg) = attr::find(&method.attrs, &["cfg", "cfg_attr"]) {
            return Err(wrong(cfg, "cannot be conditional"));
        }
        if kind == HookKind::Error
            && let Some(token) = &sig.asyncness
        {
            return Err(wrong(token, "decides at once and is not `async`"));
        }
        let args = arguments(kind, method).map_err(|(at, what)| wrong(&at, what))?;
        check_output(kind, &sig.output).map_err(|what| match &sig.output {
            ReturnType::Default => wrong(&sig.ident, what),
            ReturnType::Type(_, ty) => wrong(ty, what),
        })?;
        Ok(Self { kind, ident: sig.ident.clone(), is_async: sig.asyncness.is_some(), args })
    }
}

type Wrong = (Box<dyn quote::ToTokens>, &'static str);

fn arguments(kind: HookKind, method: &ImplItemFn) -> Result<Vec<Arg>, Wrong> {
    let typed = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    });
    let mut args: Vec<Arg> = Vec::new();
    for input in typed {
        let arg = Arg::of(&input.ty);
        let allowed = match (kind, &arg) {
            (HookKind::Error, Arg::Value) => is_failure(&input.ty),
            (HookKind::Terminated, Arg::Value) => last_ident(&input.ty).is_some_and(|name| name == "Terminated"),
            (HookKind::Start | HookKind::Stop | HookKind::Terminated, Arg::Ctx | Arg::CtxMut) => true,
            _ => false,
        };
        let again = args.iter().any(|other| (*other == Arg::Value) == (arg == Arg::Value));
        if !allowed || again {
            return Err((Box::new(input.clone()), "does not take this"));
        }
        args.push(arg);
    }
    let missing = match kind {
        HookKind::Error => "takes the failure",
        HookKind::Terminated => "takes who has stopped",
        HookKind::Start | HookKind::Stop => return Ok(args),
    };
    if !args.contains(&Arg::Value) {
        return Err((Box::new(method.sig.ident.clone()), missing));
    }
    Ok(args)
}

fn is_failure(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => last_ident(&reference.elem).is_some_and(|name| name == "Failure"),
        _ => false,
    }
}

fn check_output(kind: HookKind, output: &ReturnType) -> Result<(), &'static str> {
    let last = match output {
        ReturnType::Type(_, ty) => last_ident(ty).map(ToString::to_string),
        ReturnType::Default => None,
    };
    match (kind, last.as_deref()) {
        (HookKind::Start, Some("Result")) | (HookKind::Error, Some("Directive")) => Ok(()),
        (HookKind::Start, _) => Err("says whether the actor may start"),
        (HookKind::Error, _) => Err("says what becomes of the actor"),
        (HookKind::Stop | HookKind::Terminated, _) if is_unit(output) => Ok(()),
        (HookKind::Stop | HookKind::Terminated, _) => Err("returns nothing"),
    }
}

fn is_unit(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;

    fn parse(method: TokenStream) -> Result<Hook, String> {
        let method: ImplItemFn = syn::parse2(method).unwrap();
        Hook::parse(HookKind::of(&method.sig.ident).unwrap(), &method).map_err(|error| error.to_string())
    }

    #[test]
    fn hooks_may_leave_out_async_and_ctx() {
        for hook in [
            quote!(
                async fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {}
            ),
            quote!(
                fn on_start(&mut self) -> std::io::Result<()> {}
            ),
            quote!(
                async fn on_stop(&mut self, ctx: &Ctx<Self>) {}
            ),
            quote!(
                fn on_stop(&mut self) -> () {}
            ),
            quote!(
                fn on_error(&mut self, failure: &casty::Failure) -> casty::Directive {}
            ),
            quote!(
                fn on_terminated(&mut self, terminated: casty::Terminated) {}
            ),
            quote!(
                async fn on_terminated(&mut self, ctx: &mut Ctx<Self>, it: Terminated) {}
            ),
        ] {
            assert!(parse(hook).is_ok());
        }
    }

    #[test]
    fn another_signature_is_refused_with_the_right_one() {
        for hook in [
            quote!(
                fn on_start(&self) -> Result<(), BoxError> {}
            ),
            quote!(
                fn on_start(&mut self) {}
            ),
            quote!(
                fn on_start(&mut self, n: u64) -> Result<(), BoxError> {}
            ),
            quote!(
                fn on_stop() {}
            ),
            quote!(
                fn on_stop(&mut self) -> u64 {}
            ),
            quote!(
                fn on_stop(&mut self, a: &Ctx<Self>, b: &Ctx<Self>) {}
            ),
            quote!(
                async fn on_error(&mut self, failure: &Failure) -> Directive {}
            ),
            quote!(
                fn on_error(&mut self) -> Directive {}
            ),
            quote!(
                fn on_error(&mut self, failure: Failure) -> Directive {}
            ),
            quote!(
                fn on_error(&mut self, failure: &Failure) {}
            ),
            quote!(
                fn on_terminated(&mut self, ctx: &mut Ctx<Self>) {}
            ),
            quote!(
                fn on_terminated(&mut self, it: &Terminated) {}
            ),
            quote!(
                fn on_terminated(&mut self, it: Terminated, that: Terminated) {}
            ),
            quote!(
                fn on_terminated(&mut self, it: Terminated) -> bool {}
            ),
        ] {
            assert!(parse(hook.clone()).err().unwrap_or_default().contains(": write `"), "{hook}");
        }
    }
}
