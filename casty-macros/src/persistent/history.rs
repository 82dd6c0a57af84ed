//! What a layout says of those before it, and what can be wrong with that.

use std::collections::HashSet;

use syn::{Ident, LitInt};

use super::check::{Field, Filled, unraw};
use super::model::{Args, Model, OrDefault};
use crate::errors::Errors;

/// Collects what is wrong, and gives the fields their defaults.
pub(super) fn check<'a>(model: &'a Model, fields: &mut [Field<'a>], errors: &mut Errors) {
    let version = errors.take(model.args.version()).unwrap_or(u32::MAX);
    for default in &model.args.defaults {
        if let Some(field) = known(&default.field, fields, errors) {
            field.default = Some(filled(default));
        }
    }
    let mut before = HashSet::new();
    for renamed in &model.args.renamed {
        known(&renamed.now, fields, errors);
        gone(&renamed.before, fields, &mut before, errors);
    }
    for name in &model.args.removed {
        gone(name, fields, &mut before, errors);
    }
    for list in [&model.args.migrations, &model.args.upcasts] {
        let mut from = HashSet::new();
        for migration in list {
            errors.take(older(&migration.from, version, &mut from));
        }
    }
    events(&model.args, errors);
    if version == 1
        && let Some(name) = model.args.renamed.iter().map(|renamed| &renamed.before).chain(&model.args.removed).next()
    {
        errors.add(name, "no version is older than the first: raise it with `version = 2`");
    }
}

/// What is said of events.
fn events(args: &Args, errors: &mut Errors) {
    if let (Some(literal), Some(0)) = (&args.snapshot_every, errors.take(args.snapshot_every())) {
        errors.add(literal, "a snapshot takes the place of one event at least");
    }
    if args.events.is_some() {
        return;
    }
    if let Some(literal) = &args.snapshot_every {
        errors.add(literal, "only events have snapshots: say which events, `events = …`");
    }
    if let Some(upcast) = args.upcasts.first() {
        errors.add(&upcast.from, "version by version, events are made those of today: say which, `events = …`");
    }
}

fn filled(default: &OrDefault) -> Filled<'_> {
    match &default.path {
        Some(path) => Filled::Path(path),
        None => Filled::Default(&default.field),
    }
}

/// The field of this name is there.
fn known<'f, 'a>(name: &Ident, fields: &'f mut [Field<'a>], errors: &mut Errors) -> Option<&'f mut Field<'a>> {
    let found = fields.iter_mut().find(|field| field.name() == unraw(name));
    if found.is_none() {
        errors.add(name, format!("the field `{name}` is no state"));
    }
    found
}

/// The field of this name is not there any more, and that is said once.
fn gone(name: &Ident, fields: &[Field<'_>], seen: &mut HashSet<Ident>, errors: &mut Errors) {
    if fields.iter().any(|field| field.name() == unraw(name)) {
        errors.add(
            name,
            format!("the field `{name}` is still there: what becomes of its old values is for `migrate(…)`"),
        );
    } else if !seen.insert(name.clone()) {
        errors.add(name, format!("the field `{name}` is named twice"));
    }
}

/// A migration leads on from a version that is older than this one, and only one does.
fn older(from: &LitInt, version: u32, seen: &mut HashSet<u32>) -> syn::Result<()> {
    let number: u32 = from.base10_parse()?;
    if number == 0 || number >= version {
        let message = format!("it leads on from an older version, and this is version {version}");
        return Err(syn::Error::new(from.span(), message));
    }
    if !seen.insert(number) {
        return Err(syn::Error::new(from.span(), format!("version {number} is there twice")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::persistent::check;

    fn mistakes(args: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        let item = quote!(
            struct A {
                a: u8,
                b: u8,
            }
        );
        match Model::parse(args, item) {
            Ok(model) => {
                check::fields(&model, &mut errors);
            }
            Err(error) => errors.push(error),
        }
        errors.messages()
    }

    #[test]
    fn a_history_that_makes_sense_is_taken() {
        let history = quote!(
            version = 3,
            default(a, b = crate::b),
            renamed(a = x, a = y),
            removed(c, d),
            migrate(1 = from_1, 2 = old::from_2),
            after_restore = Self::index,
        );
        assert_eq!(mistakes(history), [""; 0]);
    }

    #[test]
    fn other_arguments_are_refused_by_name() {
        assert!(mistakes(quote!(versoin = 2))[0].contains("unknown argument `versoin`"));
        assert!(mistakes(quote!(removd(c)))[0].contains("unknown argument `removd`"));
        assert!(mistakes(quote!("a"))[0].contains("takes the names of fields"));
        assert_eq!(mistakes(quote!(version = 2, version = 3)), ["`version` is given twice"]);
        assert_eq!(mistakes(quote!(version = 0)), ["the first version is 1"]);
    }

    #[test]
    fn fields_that_are_not_there_have_no_default_and_those_that_are_were_not_removed() {
        assert_eq!(mistakes(quote!(version = 2, default(x))), ["the field `x` is no state"]);
        assert_eq!(mistakes(quote!(a, version = 2, default(b))), ["the field `b` is no state"]);
        assert!(mistakes(quote!(version = 2, removed(a)))[0].contains("still there"));
        assert!(mistakes(quote!(version = 2, renamed(a = b)))[0].contains("still there"));
        assert_eq!(mistakes(quote!(version = 2, removed(x), renamed(a = x))), ["the field `x` is named twice"]);
        assert!(mistakes(quote!(removed(x)))[0].contains("raise it with `version = 2`"));
    }

    #[test]
    fn a_migration_leads_on_from_an_older_version() {
        assert!(mistakes(quote!(migrate(1 = f)))[0].contains("this is version 1"));
        assert!(mistakes(quote!(version = 2, migrate(0 = f)))[0].contains("older version"));
        assert_eq!(mistakes(quote!(version = 3, migrate(1 = f, 1 = g))), ["version 1 is there twice"]);
        assert!(mistakes(quote!(version = 2, migrate(f)))[0].contains("what becomes of a version is a function"));
        assert!(mistakes(quote!(version = 2, renamed(a)))[0].contains("`now = before`"));
    }

    #[test]
    fn what_is_said_of_events_is_said_beside_them() {
        let all = quote!(a, version = 3, events = Event<u8>, snapshot_every = 5, upcast(1 = f, 2 = identity));
        assert_eq!(mistakes(all), [""; 0]);
        assert_eq!(
            mistakes(quote!(events = Event, snapshot_every = 0)),
            ["a snapshot takes the place of one event at least"]
        );
        assert_eq!(
            mistakes(quote!(snapshot_every = 5)),
            ["only events have snapshots: say which events, `events = …`"]
        );
        assert!(mistakes(quote!(version = 2, upcast(1 = f)))[0].contains("say which, `events = …`"));
        assert!(mistakes(quote!(events = Event, upcast(1 = f)))[0].contains("this is version 1"));
        assert_eq!(mistakes(quote!(events = Event, events = Event)), ["`events` is given twice"]);
        assert_eq!(mistakes(quote!(events = Event, version = 2, upcast(1 = f, 1 = g))), ["version 1 is there twice"]);
    }
}
