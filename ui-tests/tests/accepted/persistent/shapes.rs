//! Persistent fields come back, the others stay, and damaged bytes replace nothing.

use casty::actor::{Persistent, state};
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

#[persistent(except(seen))]
#[derive(Debug, PartialEq)]
struct Except {
    r#type: u8,
    seen: u8,
}

fn saved(of: &impl Persistent) -> Vec<u8> {
    state::save(of).unwrap()
}

fn restore(into: &mut impl Persistent, bytes: &[u8]) {
    assert!(state::restore(into, bytes.to_vec()).unwrap());
}

#[test]
fn every_shape_of_state_comes_back() {
    let bytes = saved(&Some { balance: 9, name: "a".into(), limit: 3 });
    let mut some = Some { balance: 1, name: String::new(), limit: 0 };
    restore(&mut some, &bytes);
    assert_eq!(some, Some { balance: 1, name: "a".into(), limit: 3 });

    assert!(state::restore(&mut some, bytes[..bytes.len() - 1].to_vec()).is_err());
    assert_eq!(some, Some { balance: 1, name: "a".into(), limit: 3 });

    let mut all = All { items: vec![], last: None };
    restore(&mut all, &saved(&All { items: vec![1, 2], last: Option::Some(3) }));
    assert_eq!(all, All { items: vec![1, 2], last: Option::Some(3) });

    let mut tuple = Tuple(0, String::new());
    restore(&mut tuple, &saved(&Tuple(1, "one".into())));
    assert_eq!(tuple, Tuple(1, "one".into()));

    let mut wide = Wide::default();
    restore(&mut wide, &saved(&Wide { f00: 1, f16: 2, f31: 3, f32: "w".into(), ..Wide::default() }));
    assert_eq!(wide, Wide { f00: 1, f16: 2, f31: 3, f32: "w".into(), ..Wide::default() });

    let mut except = Except { r#type: 0, seen: 7 };
    restore(&mut except, &saved(&Except { r#type: 1, seen: 8 }));
    assert_eq!(except, Except { r#type: 1, seen: 7 });
    assert_eq!(Except::LAYOUT.fields[0].name, "type");

    assert_eq!(saved(&Unit).len(), 1, "the version");
}
