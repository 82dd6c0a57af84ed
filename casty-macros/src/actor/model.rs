//! What the user wrote under `#[actor]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, ReturnType, Type};

use super::construct;
use super::handler::Handler;
use super::hooks::{Hook, HookKind};
use crate::attr::{self, Args};
use crate::errors::Errors;

/// An actor: an `impl` block with handlers.
pub(crate) struct Model {
    /// The block, without the attributes that the macro reads.
    pub(crate) block: ItemImpl,
    /// The name of the type, which the generated types start with.
    pub(crate) ident: Ident,
    /// What stands in the brackets.
    pub(crate) args: Args,
    /// The methods that handle messages.
    pub(crate) handlers: Vec<Handler>,
    /// The hooks, at most one of a kind.
    pub(crate) hooks: Vec<Hook>,
    /// Whether there is `fn new(id: EntityId) -> Self`.
    pub(crate) creates: bool,
    /// The types of what `fn new(..) -> Self` takes, where it is of a form that another node could call.
    pub(crate) made_of: Option<Vec<TokenStream>>,
}

impl Model {
    /// Parses the block. Methods with mistakes are told to `errors` and left out.
    pub(crate) fn parse(item: TokenStream, args: Args, errors: &mut Errors) -> syn::Result<Self> {
        let refused = |error: syn::Error| {
            let message = format!("`#[actor]` stands on the `impl` block of the actor's handlers: {error}");
            syn::Error::new(error.span(), message)
        };
        let mut block: ItemImpl = syn::parse2(item).map_err(refused)?;
        if let Some((path, _)) = &block.trait_ {
            let message = "handlers stand in an `impl` block of the type itself, not of a trait";
            return Err(syn::Error::new_spanned(path, message));
        }
        let Some(ident) = last_ident(&block.self_ty).cloned() else {
            return Err(syn::Error::new_spanned(&block.self_ty, "an actor is a struct or an enum"));
        };
        let actor = (*block.self_ty).clone();
        let (mut handlers, mut hooks, mut creates, mut made_of) = (Vec::new(), Vec::new(), false, None);
        for item in &mut block.items {
            let ImplItem::Fn(method) = item else { continue };
            let hook = HookKind::of(&method.sig.ident);
            let role = take_role(method, hook, errors);
            if !matches!(role, Role::Plain) {
                method.attrs.push(shape_is_given());
            }
            match role {
                Role::Handler { message } => {
                    handlers.extend(errors.take(Handler::parse(method, message.as_deref(), &actor)));
                }
                Role::Hook(kind) => hooks.extend(errors.take(Hook::parse(kind, method))),
                Role::Plain => {
                    creates |= is_create(method, &ident);
                    made_of = made_of.or_else(|| construct::made_of(method, &ident, &actor));
                }
            }
        }
        Ok(Self { block, ident, args, handlers, hooks, creates, made_of })
    }

    /// Whether the actor has generic parameters.
    pub(crate) fn is_generic(&self) -> bool {
        !self.block.generics.params.is_empty()
    }

    /// Whether the actor can be reached from its own node only.
    pub(crate) fn is_local(&self) -> bool {
        self.is_generic() || self.args.local.is_some()
    }
}

/// What a method is to the actor.
enum Role {
    /// `message` is the attribute of a method that makes its message itself.
    Handler {
        message: Option<Box<Attribute>>,
    },
    Hook(HookKind),
    Plain,
}

fn take_role(method: &mut ImplItemFn, hook: Option<HookKind>, errors: &mut Errors) -> Role {
    let handler = attr::take(&mut method.attrs, "handler");
    let message = attr::take(&mut method.attrs, "message");
    let wrong = match (&handler, &message, hook) {
        (Some(attr), _, Some(_)) | (None, Some(attr), Some(_)) => {
            let (name, attribute) = (&method.sig.ident, attr.path().to_token_stream());
            let message = format!("`{name}` is called by the runtime and takes no message: leave `#[{attribute}]` out");
            Some(syn::Error::new_spanned(attr, message))
        }
        (Some(_), Some(attr), None) => {
            let message =
                "a method has `#[handler]` if it takes a message, or `#[message]` if its arguments are to be one";
            Some(syn::Error::new_spanned(attr, message))
        }
        (Some(attr), None, None) => attr.meta.require_path_only().err().map(|error| {
            syn::Error::new(error.span(), "`#[handler]` takes no arguments: the message is the method's argument")
        }),
        (None, _, _) => None,
    };
    let role = match (handler, message, hook) {
        (_, _, Some(kind)) => Role::Hook(kind),
        (None, None, None) => Role::Plain,
        (_, message, None) => Role::Handler { message: message.map(Box::new) },
    };
    match wrong {
        Some(error) => {
            errors.push(error);
            Role::Plain
        }
        None => role,
    }
}

/// The macro asks for the shape of these methods, so that lints about it have nothing to say to the user.
fn shape_is_given() -> Attribute {
    syn::parse_quote! {
        #[allow(
            clippy::missing_const_for_fn,
            clippy::needless_pass_by_ref_mut,
            clippy::needless_pass_by_value,
            clippy::unnecessary_wraps,
            clippy::unused_self
        )]
    }
}

/// The last name in a path: `Ctx` in `casty::Ctx<Self>`.
pub(crate) fn last_ident(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        Type::Paren(inner) => last_ident(&inner.elem),
        Type::Group(inner) => last_ident(&inner.elem),
        _ => None,
    }
}

fn is_create(method: &ImplItemFn, actor: &Ident) -> bool {
    let takes_id = match method.sig.inputs.first() {
        Some(FnArg::Typed(arg)) => last_ident(&arg.ty).is_some_and(|name| name == "EntityId"),
        _ => false,
    };
    let gives_self = match &method.sig.output {
        ReturnType::Type(_, ty) => last_ident(ty).is_some_and(|name| name == "Self" || name == actor),
        ReturnType::Default => false,
    };
    method.sig.ident == "new"
        && method.sig.inputs.len() == 1
        && takes_id
        && gives_self
        && method.sig.asyncness.is_none()
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn parse(block: TokenStream) -> (Model, Vec<String>) {
        let mut errors = Errors::default();
        let model = Model::parse(block, Args::default(), &mut errors).unwrap();
        (model, errors.messages())
    }

    #[test]
    fn methods_have_their_roles() {
        let (model, errors) = parse(quote! {
            impl bank::Account {
                fn new(id: casty::EntityId) -> Self { todo!() }
                #[handler] fn deposit(&mut self, msg: Deposit) -> u64 { 0 }
                #[message] fn rename(&mut self, name: String) {}
                async fn on_stop(&mut self, ctx: &mut Ctx<Self>) {}
                fn helper(&self) {}
            }
        });
        assert_eq!(errors, [""; 0]);
        assert_eq!(model.ident, "Account");
        assert!(model.creates);
        assert_eq!((model.handlers.len(), model.hooks.len()), (2, 1));
        let markers = quote!(#[handler]).to_string();
        assert!(!model.block.to_token_stream().to_string().contains(&markers));
    }

    #[test]
    fn only_new_of_an_id_alone_creates() {
        for not in [quote!(new() -> Self), quote!(new(id: u64) -> Self), quote!(new(id: EntityId) -> Option<Self>)] {
            assert!(!parse(quote!(impl A { fn #not {} })).0.creates);
        }
        assert!(parse(quote!(impl A { fn new(id: EntityId) -> A {} })).0.creates);
    }

    #[test]
    fn a_method_with_a_mistake_is_left_out_and_named() {
        let (model, errors) = parse(quote! {
            impl A {
                #[handler] fn none(&mut self) {}
                #[handler] #[message] fn rename(&mut self, name: String) {}
                #[message] fn on_stop(&mut self) {}
                #[handler] fn on_start(&mut self) {}
                #[handler] fn fine(&self, msg: Fine) {}
            }
        });
        assert_eq!(model.handlers.len(), 1);
        assert_eq!(errors.len(), 4);
    }
}
