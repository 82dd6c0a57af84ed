//! What the user wrote in and under `#[persistent]`.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{DeriveInput, Ident, LitInt, Path, Token, Type, parenthesized, punctuated::Punctuated};

use crate::attr;

/// A type with persistent fields.
pub(crate) struct Model {
    /// The struct, as written.
    pub(crate) item: DeriveInput,
    /// What stands in the brackets.
    pub(crate) args: Args,
}

/// The arguments of `#[persistent]`.
#[derive(Default)]
pub(crate) struct Args {
    /// The fields that the user named as state.
    pub(crate) named: Vec<Ident>,
    /// The fields that are no state: `except(a, b)`.
    pub(crate) except: Vec<Ident>,
    /// The version of the layout: `version = 2`.
    pub(crate) version: Option<LitInt>,
    /// The fields that an earlier version may lack: `default(a, b = path)`.
    pub(crate) defaults: Vec<OrDefault>,
    /// The fields that had another name: `renamed(now = before)`.
    pub(crate) renamed: Vec<Renamed>,
    /// The fields that are no more: `removed(a)`.
    pub(crate) removed: Vec<Ident>,
    /// How older versions become newer ones: `migrate(1 = path)`.
    pub(crate) migrations: Vec<Migration>,
    /// What runs after the fields were restored: `after_restore = path`.
    pub(crate) after_restore: Option<Path>,
    /// The events that change the state: `events = Type`.
    pub(crate) events: Option<Type>,
    /// How many events a snapshot takes the place of: `snapshot_every = 1000`.
    pub(crate) snapshot_every: Option<LitInt>,
    /// How events of older versions become those of today: `upcast(1 = path)`.
    pub(crate) upcasts: Vec<Migration>,
}

/// `a` or `a = path`.
pub(crate) struct OrDefault {
    pub(crate) field: Ident,
    pub(crate) path: Option<Path>,
}

/// `now = before`.
pub(crate) struct Renamed {
    pub(crate) now: Ident,
    pub(crate) before: Ident,
}

/// `1 = path`: what becomes of version 1.
pub(crate) struct Migration {
    pub(crate) from: LitInt,
    pub(crate) path: Path,
}

/// A snapshot takes the place of so many events if nothing else is said.
const SNAPSHOT_EVERY: u32 = 1000;

impl Model {
    /// Parses the arguments and the struct.
    pub(crate) fn parse(args: TokenStream, item: TokenStream) -> syn::Result<Self> {
        let refused = |error: syn::Error| {
            syn::Error::new(error.span(), format!("`#[persistent]` stands on the struct of an actor: {error}"))
        };
        Ok(Self { item: syn::parse2(item).map_err(refused)?, args: Args::parse.parse2(args)? })
    }
}

impl Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            args.argument(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }

    fn argument(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if !input.peek(Ident) {
            return Err(input.error("`#[persistent(…)]` takes the names of fields: `#[persistent(a, b)]`"));
        }
        let name: Ident = input.parse()?;
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            return self.setting(&name, input);
        }
        if !input.peek(syn::token::Paren) {
            self.named.push(name);
            return Ok(());
        }
        let list;
        parenthesized!(list in input);
        match name.to_string().as_str() {
            "except" => self.except.extend(names(&list)?),
            "removed" => self.removed.extend(names(&list)?),
            "default" => self.defaults.extend(list.parse_terminated(OrDefault::parse, Token![,])?),
            "renamed" => self.renamed.extend(list.parse_terminated(Renamed::parse, Token![,])?),
            "migrate" => self.migrations.extend(list.parse_terminated(Migration::parse, Token![,])?),
            "upcast" => self.upcasts.extend(list.parse_terminated(Migration::parse, Token![,])?),
            _ => return Err(unknown(&name)),
        }
        Ok(())
    }

    fn setting(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "version" => once(&mut self.version, name, attr::version(input.parse()?)?),
            "after_restore" => once(&mut self.after_restore, name, input.parse()?),
            "events" => once(&mut self.events, name, input.parse()?),
            "snapshot_every" => once(&mut self.snapshot_every, name, input.parse()?),
            _ => Err(unknown(name)),
        }
    }

    /// The version of the layout.
    pub(crate) fn version(&self) -> syn::Result<u32> {
        self.version.as_ref().map_or(Ok(1), LitInt::base10_parse)
    }

    /// How many events a snapshot takes the place of.
    pub(crate) fn snapshot_every(&self) -> syn::Result<u32> {
        self.snapshot_every.as_ref().map_or(Ok(SNAPSHOT_EVERY), LitInt::base10_parse)
    }
}

fn names(list: ParseStream<'_>) -> syn::Result<Punctuated<Ident, Token![,]>> {
    list.parse_terminated(Ident::parse, Token![,])
}

fn once<T>(place: &mut Option<T>, name: &Ident, value: T) -> syn::Result<()> {
    match place.replace(value) {
        Some(_) => Err(syn::Error::new(name.span(), format!("`{name}` is given twice"))),
        None => Ok(()),
    }
}

fn unknown(name: &Ident) -> syn::Error {
    let message = format!(
        "unknown argument `{name}`: `except(…)`, `version = …`, `default(…)`, `renamed(…)`, `removed(…)`, `migrate(…)`, \
         `after_restore = …`, `events = …`, `snapshot_every = …`, `upcast(…)` and names of fields are allowed"
    );
    syn::Error::new(name.span(), message)
}

impl Parse for OrDefault {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let field = input.parse()?;
        let assigned = input.parse::<Option<Token![=]>>()?.is_some();
        Ok(Self { field, path: assigned.then(|| input.parse()).transpose()? })
    }
}

impl Parse for Renamed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let wrong = |span: Span| syn::Error::new(span, "a renamed field is `now = before`: `renamed(limit = maximum)`");
        let now: Ident = input.parse().map_err(|error| wrong(error.span()))?;
        let before = input.parse::<Token![=]>().and_then(|_| input.parse());
        Ok(Self { before: before.map_err(|_| wrong(now.span()))?, now })
    }
}

impl Parse for Migration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let wrong = |span: Span| {
            syn::Error::new(
                span,
                "what becomes of a version is a function: `migrate(1 = from_1)`, `upcast(1 = from_1)`",
            )
        };
        let from: LitInt = input.parse().map_err(|error| wrong(error.span()))?;
        let path = input.parse::<Token![=]>().and_then(|_| input.parse());
        Ok(Self { path: path.map_err(|_| wrong(from.span()))?, from })
    }
}
