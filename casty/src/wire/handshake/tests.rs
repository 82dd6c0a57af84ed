//! The handshake as values.

use super::exchange::PROOF_BYTES;
use super::*;
use crate::base::NodeKey;
use crate::codec::{Codec, Wire, decode, encode};
use crate::wire::{HandshakeError, Kind, Member, Role};

const SECRET: &str = "a secret of the bank";

fn preface(newest: u16, oldest: u16) -> Preface {
    Preface::new(Versions { newest, oldest }, Features::default(), Features::default(), [7; NONCE_BYTES])
}

fn with(mut preface: Preface, change: impl FnOnce(&mut Preface)) -> Preface {
    change(&mut preface);
    preface
}

/// Both sides of a connection on which the prefaces were said.
fn pair(dialler: &str, acceptor: &str) -> (Exchange, Exchange) {
    let (d, a) = (preface(1, 1), with(preface(1, 1), |preface| preface.nonce = [8; NONCE_BYTES]));
    let side = |me, secret, ours: &Preface, theirs: &Preface| {
        Exchange::begin(me, Some(&Secret::new(secret)), [0; 32], ours, theirs).unwrap()
    };
    (side(Side::Dialler, dialler, &d, &a), side(Side::Acceptor, acceptor, &a, &d))
}

#[test]
fn a_preface_is_spelled_the_same_for_ever() {
    let spelled = with(preface(0x0102, 1), |preface| {
        (preface.offers, preface.needs) = (Features(0x0a0b), Features(1));
    })
    .encode();
    let mut bytes = vec![58, 0, 0, 0, 1, b'c', b's', b't', b'y', 2, 1, 1, 0, Wire::ID];
    bytes.extend([0x0b, 0x0a, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([7; 32]);
    assert_eq!(spelled[..], bytes[..]);
    assert_eq!(Preface::decode(&spelled).unwrap().encode(), spelled);
}

#[test]
fn who_speaks_tls_or_something_else_is_told_by_the_first_bytes() {
    assert!(matches!(Preface::expect([22, 3]), Err(HandshakeError::SpeaksTls)));
    assert!(matches!(Preface::expect([21, 3]), Err(HandshakeError::SpeaksTls)));
    assert!(matches!(Preface::expect(*b"GE"), Err(HandshakeError::NotCasty)));
    assert!(Preface::expect([preface(1, 1).encode()[0], 0]).is_ok());
    let mut strange = preface(1, 1).encode();
    strange[6] = b'S';
    assert!(matches!(Preface::decode(&strange), Err(HandshakeError::NotCasty)));
}

#[test]
fn the_lower_of_the_newest_versions_is_spoken_if_both_speak_it() {
    for (ours, theirs, spoken) in [((1, 1), (2, 1), 1), ((3, 1), (2, 1), 2), ((5, 5), (5, 4), 5)] {
        let (ours, theirs) = (preface(ours.0, ours.1), preface(theirs.0, theirs.1));
        assert_eq!(Terms::agree(&ours, &theirs).unwrap().version, spoken);
        assert_eq!(Terms::agree(&ours, &theirs), Terms::agree(&theirs, &ours));
    }
    let (old, new) = (preface(1, 1), preface(3, 2));
    for (ours, theirs, text) in [(old, new, "version 1 of the protocol, the other 2 to 3"), (new, old, "2 to 3 of")] {
        let error = HandshakeError::from(Terms::agree(&ours, &theirs).unwrap_err());
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_mismatch_is_seen_by_both_sides_with_both_values() {
    let other = with(preface(1, 1), |preface| preface.codec = 77);
    let ours = HandshakeError::from(Terms::agree(&preface(1, 1), &other).unwrap_err()).to_string();
    let theirs = HandshakeError::from(Terms::agree(&other, &preface(1, 1)).unwrap_err()).to_string();
    assert!(ours.contains(&format!("codec {}, the other with codec 77", Wire::ID)), "{ours}");
    assert!(theirs.contains(&format!("codec 77, the other with codec {}", Wire::ID)), "{theirs}");
    let secretive = with(preface(1, 1), |preface| {
        (preface.offers, preface.needs) = (Features::SECRET, Features::SECRET);
    });
    let lacking = HandshakeError::from(Terms::agree(&preface(1, 1), &secretive).unwrap_err()).to_string();
    assert!(lacking.contains("needs a shared secret") && lacking.contains("offers nothing"), "{lacking}");
    let needing = HandshakeError::from(Terms::agree(&secretive, &preface(1, 1)).unwrap_err()).to_string();
    assert!(needing.contains("needs a shared secret") && needing.contains("offers nothing"), "{needing}");
}

#[test]
fn what_only_one_side_is_able_to_is_not_used() {
    let able = with(preface(1, 1), |preface| preface.offers = Features(0b110));
    let less = with(preface(1, 1), |preface| preface.offers = Features(0b010));
    assert_eq!(Terms::agree(&able, &less).unwrap().features, Features(0b010));
}

#[test]
fn words_pass_between_two_who_know_the_secret() {
    let (mut dialler, mut acceptor) = pair(SECRET, SECRET);
    let hello = dialler.prove(Kind::HELLO, b"hello");
    assert_eq!(acceptor.check(Kind::HELLO, &hello).unwrap(), b"hello");
    let welcome = acceptor.prove(Kind::WELCOME, b"welcome");
    assert_eq!(dialler.check(Kind::WELCOME, &welcome).unwrap(), b"welcome");
}

#[test]
fn who_does_not_know_the_secret_is_not_listened_to() {
    let (mut dialler, mut acceptor) = pair("a secret of the shop", SECRET);
    let hello = dialler.prove(Kind::HELLO, b"hello");
    let error = acceptor.check(Kind::HELLO, &hello).unwrap_err();
    assert!(matches!(error, HandshakeError::Unproven));
    assert!(!error.to_string().contains("bank") && !error.to_string().contains("shop"), "{error}");
}

#[test]
fn every_bit_of_a_word_is_proven() {
    let (mut dialler, _) = pair(SECRET, SECRET);
    let hello = dialler.prove(Kind::HELLO, b"hello");
    for bit in 0..hello.len() * 8 {
        let (_, mut acceptor) = pair(SECRET, SECRET);
        let mut changed = hello.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(acceptor.check(Kind::HELLO, &changed).is_err(), "bit {bit}");
    }
    let (_, mut acceptor) = pair(SECRET, SECRET);
    assert!(acceptor.check(Kind::WELCOME, &hello).is_err());
    assert!(acceptor.check(Kind::HELLO, &hello[..PROOF_BYTES - 1]).is_err());
    assert!(acceptor.check(Kind::HELLO, &hello).is_ok());
}

/// Who knows no secret sends a node its own words back.
#[test]
fn a_word_of_the_one_side_is_no_word_of_the_other() {
    let ours = preface(1, 1);
    let secret = Secret::new(SECRET);
    // The stranger has taken the node's nonce for its own, so nothing but the side tells the words apart.
    let mut node = Exchange::begin(Side::Dialler, Some(&secret), [0; 32], &ours, &ours).unwrap();
    let mut other = Exchange::begin(Side::Acceptor, Some(&secret), [0; 32], &ours, &ours).unwrap();
    let said = node.prove(Kind::HELLO, b"hello");
    assert!(node.check(Kind::HELLO, &said).is_err());
    assert!(other.check(Kind::HELLO, &said).is_ok());
}

#[test]
fn a_word_is_worth_nothing_on_another_connection() {
    let secret = Secret::new(SECRET);
    let acceptor = |nonce: u8, channel: u8| {
        let ours = with(preface(1, 1), |preface| preface.nonce = [nonce; NONCE_BYTES]);
        let theirs = preface(1, 1);
        Exchange::begin(Side::Acceptor, Some(&secret), [channel; 32], &ours, &theirs).unwrap()
    };
    let (mut dialler, _) = pair(SECRET, SECRET);
    let hello = dialler.prove(Kind::HELLO, b"hello");
    assert!(acceptor(8, 0).check(Kind::HELLO, &hello).is_ok());
    assert!(acceptor(9, 0).check(Kind::HELLO, &hello).is_err(), "another challenge");
    assert!(acceptor(8, 1).check(Kind::HELLO, &hello).is_err(), "another TLS connection");
}

/// Whoever stands between two nodes cannot have them speak an older version, or leave a feature out.
#[test]
fn terms_that_were_tampered_with_are_found_out() {
    let secret = Secret::new(SECRET);
    let (d, a) = (preface(2, 1), preface(2, 1));
    let older = with(d, |preface| preface.versions.newest = 1);
    let mut dialler = Exchange::begin(Side::Dialler, Some(&secret), [0; 32], &d, &a).unwrap();
    let mut acceptor = Exchange::begin(Side::Acceptor, Some(&secret), [0; 32], &a, &older).unwrap();
    assert!(acceptor.check(Kind::HELLO, &dialler.prove(Kind::HELLO, b"hello")).is_err());
}

#[test]
fn a_hello_travels() {
    let member = Member::new("a".into(), 1, "127.0.0.1:1", Role::Replica);
    let hello = Hello { cluster_name: "bank".into(), member, purpose: Purpose::Link { to: NodeKey(9), nonce: 3 } };
    assert_eq!(decode::<Hello>(&encode(&hello).unwrap()).unwrap(), hello);
}

#[test]
fn each_side_sees_its_own_value_first() {
    let names = Reason::ClusterName { yours: "bank".into(), mine: "shop".into() };
    let dialler = names.clone().at_dialler().to_string();
    assert!(dialler.contains("cluster `bank`, the other to `shop`"), "{dialler}");
    let acceptor = names.at_acceptor().to_string();
    assert!(acceptor.contains("cluster `shop`, the other to `bank`"), "{acceptor}");
}

#[test]
fn nobody_reads_a_secret_from_a_text() {
    assert_eq!(format!("{:?}", Secret::new(SECRET)), "Secret(..)");
}
