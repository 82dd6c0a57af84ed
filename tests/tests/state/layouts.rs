//! State that an earlier version of a program kept, as this one reads it.

use casty::actor::{OldState, Persistent, StateError, state};
use casty::prelude::*;

/// What the first version kept.
#[persistent]
struct First {
    owner: String,
    euros: u64,
    color: String,
}

fn first() -> Vec<u8> {
    state::save(&First { owner: "alice".to_owned(), euros: 12, color: "red".to_owned() }).unwrap()
}

/// What each of the programs below begins with.
macro_rules! of_another_version {
    ($name:ident: ($($args:tt)*) { $($field:ident: $ty:ty = $value:expr),* }) => {
        #[persistent($($args)*)]
        #[derive(Debug, PartialEq)]
        struct $name {
            $($field: $ty),*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $value),* }
            }
        }
    };
}

fn read<A: Persistent + Default>(bytes: Vec<u8>) -> Result<A, StateError> {
    let mut actor = A::default();
    state::restore(&mut actor, bytes).map(|_| actor)
}

fn standard() -> u64 {
    500
}

of_another_version!(Grown: (version = 2, default(limit = standard, notes)) {
    owner: String = String::new(), euros: u64 = 0, color: String = String::new(), limit: u64 = 1, notes: Vec<u8> = vec![1]
});

of_another_version!(Shrunk: (version = 2, removed(color)) { owner: String = String::new(), euros: u64 = 0 });

of_another_version!(Renamed: (version = 2, renamed(holder = owner, paint = color)) {
    holder: String = String::new(), paint: String = String::new(), euros: u64 = 0
});

fn cents(old: &mut OldState) -> Result<(), BoxError> {
    let euros: u64 = old.take("euros")?;
    old.put("cents", &(100 * euros))?;
    Ok(())
}

fn without_colors(old: &mut OldState) -> Result<(), BoxError> {
    old.remove("color");
    Ok(())
}

of_another_version!(Migrated: (version = 3, migrate(1 = cents, 2 = without_colors)) {
    owner: String = String::new(), cents: u64 = 0
});

#[test]
fn a_field_that_is_new_has_its_default() {
    let grown: Grown = read(first()).unwrap();
    assert_eq!(
        grown,
        Grown { owner: "alice".into(), euros: 12, color: "red".into(), limit: 500, notes: Vec::new() },
        "and not what `new` made"
    );
}

#[test]
fn a_field_that_was_removed_is_dropped() {
    assert_eq!(read::<Shrunk>(first()).unwrap(), Shrunk { owner: "alice".into(), euros: 12 });
}

#[test]
fn a_field_that_was_renamed_keeps_its_value() {
    assert_eq!(read::<Renamed>(first()).unwrap(), Renamed { holder: "alice".into(), paint: "red".into(), euros: 12 });
}

#[test]
fn migrations_lead_on_from_version_to_version() {
    let migrated = Migrated { owner: "alice".into(), cents: 1_200 };
    assert_eq!(read::<Migrated>(first()).unwrap(), migrated);
    assert_eq!(read::<Migrated>(state::save(&migrated).unwrap()).unwrap(), migrated, "and from none it stays");
}

of_another_version!(Forgetful: (version = 2) { owner: String = String::new(), euros: u64 = 0 });
of_another_version!(Demanding: (version = 2) {
    owner: String = String::new(), euros: u64 = 0, color: String = String::new(), limit: u64 = 1
});
of_another_version!(Confused: (version = 2) {
    owner: String = String::new(), euros: String = String::new(), color: String = String::new()
});
of_another_version!(Careless: () { owner: String = String::new(), euros: u64 = 0, color: String = String::new(), limit: u64 = 1 });

fn fails(_: &mut OldState) -> Result<(), BoxError> {
    Err("nobody knows".into())
}

of_another_version!(Failing: (version = 2, migrate(1 = fails)) { owner: String = String::new() });

#[test]
fn the_rest_is_refused_by_type_field_and_version() {
    let missing = read::<Demanding>(first()).unwrap_err();
    assert!(matches!(&missing, StateError::Missing { field, stored: 1, .. } if field == "limit"), "{missing}");
    let unknown = read::<Forgetful>(first()).unwrap_err();
    assert!(matches!(&unknown, StateError::Unknown { field, stored: 1, .. } if field == "color"), "{unknown}");
    assert!(unknown.to_string().contains("Forgetful"), "{unknown}");
    let other = read::<Confused>(first()).unwrap_err();
    assert!(matches!(&other, StateError::Field { field, stored: 1, .. } if field == "euros"), "{other}");
    let careless = read::<Careless>(first()).unwrap_err();
    assert!(matches!(&careless, StateError::Missing { field, .. } if field == "limit"), "{careless}");
    let failing = read::<Failing>(first()).unwrap_err();
    assert!(matches!(&failing, StateError::Migration { from: 1, why, .. } if why == "nobody knows"), "{failing}");
}

#[test]
fn an_older_program_does_not_read_what_a_newer_one_kept() {
    let newer = state::save(&read::<Shrunk>(first()).unwrap()).unwrap();
    let mut old = First { owner: "bob".to_owned(), euros: 1, color: "blue".to_owned() };
    let error = state::restore(&mut old, newer).unwrap_err();
    assert!(matches!(error, StateError::Newer { stored: 2, version: 1, .. }), "{error}");
    assert_eq!((old.owner.as_str(), old.euros, old.color.as_str()), ("bob", 1, "blue"), "nothing is replaced");
}
