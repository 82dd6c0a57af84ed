//! What bytes from elsewhere can do: reach the handlers of a registered actor, and nothing else.

#![cfg(test)]

use casty::actor::registration::Origin;
use casty::actor::{Registered, WireMessage};
use casty::codec::DecodeError;
use casty_tests::bank::{Account, Deposit, GetBalance};

#[test]
fn a_message_of_another_actor_is_refused_whatever_its_bytes() {
    let refused = Account::decode(0xdead_beef, &[1], Origin::default()).map(drop);
    assert_eq!(refused, Err(DecodeError::UnknownTag { actor: "bank.Account", tag: 0xdead_beef }));
}

#[test]
fn bytes_that_are_not_the_whole_message_and_nothing_else_are_refused() {
    let mut bytes = Vec::new();
    Deposit { amount: 300 }.encode(&mut bytes).unwrap();
    assert!(Account::decode(Deposit::TAG, &bytes, Origin::default()).is_ok());
    bytes.push(0);
    let trailing = Account::decode(Deposit::TAG, &bytes, Origin::default()).map(drop);
    assert!(matches!(trailing, Err(DecodeError::Trailing { .. })), "{trailing:?}");
    for length in 0..bytes.len() - 1 {
        let torn = Account::decode(Deposit::TAG, &bytes[..length], Origin::default()).map(drop);
        assert!(matches!(torn, Err(DecodeError::Malformed { .. })), "{length} bytes: {torn:?}");
    }
}

#[test]
fn a_wire_tag_says_which_message_it_is() {
    assert_ne!(Deposit::TAG, GetBalance::TAG);
    assert!(Account::decode(GetBalance::TAG, &[], Origin::default()).is_ok());
    assert!(Account::decode(GetBalance::TAG, &[7], Origin::default()).is_err());
}
