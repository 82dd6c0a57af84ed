//! Which fields are persistent, and what can be wrong with them.

use std::collections::HashSet;

use syn::{Data, Fields, Ident, Index, Member, Path, Type};

use super::history;
use super::model::Model;
use crate::errors::Errors;

/// One persistent field.
pub(crate) struct Field<'a> {
    /// Its name, or its number in a tuple struct.
    pub(crate) member: Member,
    /// Its type.
    pub(crate) ty: &'a Type,
    /// What it is where an earlier version left nothing.
    pub(crate) default: Option<Filled<'a>>,
}

/// How a field is filled that was not stored.
pub(crate) enum Filled<'a> {
    /// By its type's `Default`. The name is where the user asked for it.
    Default(&'a Ident),
    /// By a function.
    Path(&'a Path),
}

impl Field<'_> {
    /// Its name as it is stored.
    pub(crate) fn name(&self) -> String {
        match &self.member {
            Member::Named(name) => unraw(name),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }
}

/// The name of a field as it is stored: `type` for `r#type`.
pub(crate) fn unraw(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

/// The persistent fields of `model`, in the order in which they are saved.
pub(crate) fn fields<'a>(model: &'a Model, errors: &mut Errors) -> Vec<Field<'a>> {
    let data = match &model.item.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            errors
                .add(data.enum_token, "persistent state is the fields of a struct: put this enum into a field of one");
            return Vec::new();
        }
        Data::Union(data) => {
            errors.add(data.union_token, "persistent state is the fields of a struct, and not of a union");
            return Vec::new();
        }
    };
    let (args, of) = (&model.args, &model.item.ident);
    if let (Some(name), Some(_)) = (args.except.first(), args.named.first()) {
        errors.add(name, "name the fields that are state, or those that are none with `except(…)`, and not both");
        return Vec::new();
    }
    let mut fields = match (args.named.is_empty(), args.except.is_empty()) {
        (true, true) => all(&data.fields, &[]),
        (false, _) => some(of, &data.fields, &args.named, errors),
        (true, false) => {
            // They are looked up for the mistakes in them alone.
            some(of, &data.fields, &args.except, errors);
            all(&data.fields, &args.except)
        }
    };
    history::check(model, &mut fields, errors);
    fields
}

fn all<'a>(fields: &'a Fields, except: &[Ident]) -> Vec<Field<'a>> {
    let member = |(at, name): (usize, Option<Ident>)| name.map_or(Member::Unnamed(Index::from(at)), Member::Named);
    fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.ident.as_ref().is_none_or(|name| !except.contains(name)))
        .map(|(at, field)| Field { member: member((at, field.ident.clone())), ty: &field.ty, default: None })
        .collect()
}

fn some<'a>(of: &Ident, fields: &'a Fields, names: &[Ident], errors: &mut Errors) -> Vec<Field<'a>> {
    if !matches!(fields, Fields::Named(_)) {
        let message = format!("the fields of `{of}` have no names: write `#[persistent]` to keep all of them");
        errors.add(&names[0], message);
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for name in names {
        let field = fields.iter().find(|field| field.ident.as_ref() == Some(name));
        match field {
            None => errors.add(name, unknown(of, fields, name)),
            Some(_) if !seen.insert(name) => errors.add(name, format!("the field `{name}` is named twice")),
            Some(field) => found.push(Field { member: Member::Named(name.clone()), ty: &field.ty, default: None }),
        }
    }
    found
}

fn unknown(of: &Ident, fields: &Fields, name: &Ident) -> String {
    let names: Vec<String> =
        fields.iter().filter_map(|field| field.ident.as_ref()).map(|known| format!("`{known}`")).collect();
    if names.is_empty() {
        return format!("`{of}` has no field `{name}`; it has no fields");
    }
    format!("`{of}` has no field `{name}`; its fields are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::{ToTokens, quote};

    use super::*;

    fn kept(args: TokenStream, item: TokenStream) -> Result<Vec<String>, Vec<String>> {
        let mut errors = Errors::default();
        let model = Model::parse(args, item).unwrap();
        let fields = fields(&model, &mut errors);
        let fields = fields.iter().map(|field| field.member.to_token_stream().to_string()).collect();
        let messages = errors.messages();
        if messages.is_empty() { Ok(fields) } else { Err(messages) }
    }

    #[test]
    fn no_names_keep_all_fields_of_any_struct() {
        assert_eq!(
            kept(
                quote!(),
                quote!(
                    struct A {
                        a: u8,
                        b: u8,
                    }
                )
            )
            .unwrap(),
            ["a", "b"]
        );
        assert_eq!(
            kept(
                quote!(),
                quote!(
                    struct A(u8, u8);
                )
            )
            .unwrap(),
            ["0", "1"]
        );
        assert_eq!(
            kept(
                quote!(),
                quote!(
                    struct A;
                )
            )
            .unwrap(),
            [""; 0]
        );
    }

    #[test]
    fn names_keep_these_fields_in_the_order_of_the_names() {
        assert_eq!(
            kept(
                quote!(c, a),
                quote!(
                    struct A {
                        a: u8,
                        b: u8,
                        c: u8,
                    }
                )
            )
            .unwrap(),
            ["c", "a"]
        );
    }

    #[test]
    fn exceptions_keep_all_other_fields() {
        let item = quote!(
            struct A {
                a: u8,
                b: u8,
                c: u8,
            }
        );
        assert_eq!(kept(quote!(except(b)), item.clone()).unwrap(), ["a", "c"]);
        assert!(kept(quote!(a, except(b)), item.clone()).unwrap_err()[0].contains("and not both"));
        assert_eq!(kept(quote!(except(x)), item).unwrap_err(), ["`A` has no field `x`; its fields are `a`, `b`, `c`"]);
    }

    #[test]
    fn wrong_names_are_refused() {
        let item = quote!(
            struct A {
                a: u8,
                b: u8,
            }
        );
        assert_eq!(kept(quote!(x), item.clone()).unwrap_err(), ["`A` has no field `x`; its fields are `a`, `b`"]);
        assert_eq!(kept(quote!(a, a), item).unwrap_err(), ["the field `a` is named twice"]);
        assert!(
            kept(
                quote!(a),
                quote!(
                    struct A(u8);
                )
            )
            .unwrap_err()[0]
                .contains("have no names")
        );
        assert!(
            kept(
                quote!(),
                quote!(
                    enum A {
                        B,
                    }
                )
            )
            .unwrap_err()[0]
                .contains("fields of a struct")
        );
    }
}
