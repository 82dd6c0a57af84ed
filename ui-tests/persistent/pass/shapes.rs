//! Persistent fields come back, the others stay, and damaged bytes replace nothing.

use casty::actor::Persistent;
use casty::persistent;

#[persistent(limit, name)]
#[derive(Debug, PartialEq)]
struct Some {
    balance: u64,
    name: String,
    limit: u8,
}

#[persistent]
#[derive(Debug, PartialEq)]
struct All<T>
where
    T: Clone,
{
    items: Vec<T>,
    last: Option<T>,
}

#[persistent]
#[derive(Debug, PartialEq)]
struct Tuple(u8, String);

#[persistent]
struct Unit;

#[rustfmt::skip]
#[persistent]
#[derive(Debug, Default, PartialEq)]
struct Wide {
    f00: u8, f01: u8, f02: u8, f03: u8, f04: u8, f05: u8, f06: u8, f07: u8, f08: u8, f09: u8, f10: u8, f11: u8,
    f12: u8, f13: u8, f14: u8, f15: u8, f16: u8, f17: u8, f18: u8, f19: u8, f20: u8, f21: u8, f22: u8, f23: u8,
    f24: u8, f25: u8, f26: u8, f27: u8, f28: u8, f29: u8, f30: u8, f31: u8, f32: String,
}

fn saved(of: &impl Persistent) -> Vec<u8> {
    let mut bytes = Vec::new();
    of.save(&mut bytes).unwrap();
    bytes
}

fn main() {
    let bytes = saved(&Some { balance: 9, name: "a".into(), limit: 3 });
    let mut some = Some { balance: 1, name: String::new(), limit: 0 };
    some.load(&bytes).unwrap();
    assert_eq!(some, Some { balance: 1, name: "a".into(), limit: 3 });

    assert!(some.load(&bytes[..2]).is_err());
    assert_eq!(some, Some { balance: 1, name: "a".into(), limit: 3 });

    let mut all = All { items: vec![], last: None };
    all.load(&saved(&All { items: vec![1, 2], last: Option::Some(3) })).unwrap();
    assert_eq!(all, All { items: vec![1, 2], last: Option::Some(3) });

    let mut tuple = Tuple(0, String::new());
    tuple.load(&saved(&Tuple(1, "one".into()))).unwrap();
    assert_eq!(tuple, Tuple(1, "one".into()));

    let mut wide = Wide::default();
    wide.load(&saved(&Wide { f00: 1, f16: 2, f31: 3, f32: "w".into(), ..Wide::default() })).unwrap();
    assert_eq!(wide, Wide { f00: 1, f16: 2, f31: 3, f32: "w".into(), ..Wide::default() });

    assert!(saved(&Unit).is_empty());
}
