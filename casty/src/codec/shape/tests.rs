#![allow(dead_code, reason = "the types are looked at, and never made")]

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};

use super::Shape;

fn shape<T: DeserializeOwned>() -> String {
    Shape::of::<T>().to_string()
}

#[derive(Deserialize)]
struct Account {
    owner: String,
    limits: Vec<Option<u64>>,
    #[serde(skip)]
    seen: u8,
    place: (f32, i8),
}

#[derive(Deserialize)]
struct Cents(u64);

#[derive(Deserialize)]
struct Marker;

#[derive(Deserialize)]
enum Event {
    Opened,
    Moved(Cents, char),
    Renamed { to: String, by: Box<Account> },
    Paid(Cents),
}

#[test]
fn a_shape_says_what_stands_where_and_how_it_is_called() {
    assert_eq!(shape::<Account>(), "Account{owner:text,limits:seq<option<u64>>,place:(f32,i8)}");
    assert_eq!(shape::<(Cents, Marker, ())>(), "(Cents(u64),Marker,())");
    assert_eq!(shape::<HashMap<String, BTreeMap<bool, u128>>>(), "map<text,map<bool,u128>>");
}

#[test]
fn all_variants_of_an_enum_are_seen_wherever_it_stands() {
    let event = "Event[Opened,Moved(Cents(u64),char),\
                 Renamed{to:text,by:Account{owner:text,limits:seq<option<u64>>,place:(f32,i8)}},Paid(Cents)]";
    assert_eq!(shape::<Event>(), event);
    assert_eq!(shape::<Vec<(u8, Option<Event>)>>(), format!("seq<(u8,option<{event}>)>"));
}

#[derive(Deserialize)]
struct Tree {
    name: String,
    left: Option<Box<Tree>>,
    more: Vec<Tree>,
}

#[derive(Deserialize)]
enum Term {
    Sum(Box<Term>, Box<Term>),
    All(Vec<Term>),
    Number(i64),
}

#[derive(Deserialize)]
struct Endless(Box<Endless>);

#[test]
fn a_type_that_contains_itself_is_a_name_there() {
    assert_eq!(shape::<Tree>(), "Tree{name:text,left:option<Tree>,more:seq<Tree>}");
    assert_eq!(shape::<Term>(), "Term[Sum(Term,Term),All(seq<Term>),Number(i64)]");
    assert_eq!(shape::<Endless>(), "Endless(Endless)");
}

mod other {
    #[derive(serde::Deserialize)]
    pub(super) struct Cents(pub(super) u32);
}

#[derive(Deserialize)]
enum Either<A, B> {
    Left(A),
    Right(B),
}

#[test]
fn types_of_one_name_are_told_apart() {
    assert_eq!(shape::<(Cents, other::Cents, Cents)>(), "(Cents(u64),Cents#2(u32),Cents)");
    assert_eq!(
        shape::<Either<Either<u8, u16>, Either<u8, u16>>>(),
        "Either[Left(Either#2[Left(u8),Right(u16)]),Right(Either#2)]"
    );
}

/// Reads a number that no made-up one is, and something behind it.
#[derive(Deserialize)]
struct Strict {
    checked: Checked,
    behind: u8,
}

struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (number, _) = <(u64, Vec<u8>)>::deserialize(deserializer)?;
        if number == 4711 { Ok(Self) } else { Err(D::Error::custom("another number")) }
    }
}

struct Panicking;

impl<'de> Deserialize<'de> for Panicking {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        panic!("{number} is not what it wants");
    }
}

#[test]
fn what_checks_its_values_is_told_as_far_as_it_is_seen() {
    assert_eq!(shape::<(NonZeroU32, Duration)>(), "(u32,Duration{secs:u64,nanos:u32})");
    assert!(shape::<IpAddr>().starts_with("IpAddr[V4("), "{}", shape::<IpAddr>());
    assert_eq!(shape::<Strict>(), "Strict{checked:(u64,seq<u8>),behind:?}");
    assert_eq!(shape::<(u8, Panicking)>(), "(u8,u64)");
}

#[test]
fn a_fingerprint_is_the_same_in_every_process() {
    assert_eq!(Shape::of::<u64>().fingerprint(), 0xa248_1493_b936_2ff3);
}
