//! Bytes that no node has sent.

use casty_tests::cabinet::decoders;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{each, sample};

#[test]
fn bytes_without_meaning_are_refused_or_mean_one_thing() {
    each(|_| vec(any::<u8>(), 0..256), |decoder, bytes| _ = (decoder.run)(&bytes));
}

#[test]
fn small_numbers_are_refused_or_mean_one_thing() {
    // Small numbers are lengths that fit and variants that exist: they get further than others.
    each(|_| vec(0..4_u8, 0..64), |decoder, bytes| _ = (decoder.run)(&bytes));
}

#[test]
fn a_body_that_begins_well_is_refused_or_means_one_thing() {
    let numbers = || vec(prop_oneof![0..4_u8, 248..=255_u8, any::<u8>()], 0..64);
    each(
        |decoder| (sample(decoder), any::<prop::sample::Index>(), numbers()),
        |decoder, (sample, end, bytes)| {
            let end = end.index(sample.len() + 1);
            (decoder.run)(&[&sample[..end], &bytes].concat());
        },
    );
}

#[test]
fn what_other_protocols_say_is_refused() {
    let strangers: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"*1\r\n$4\r\nPING\r\n",
    ];
    for decoder in decoders() {
        for bytes in strangers {
            let taken = (decoder.run)(bytes);
            assert!(!taken, "{}: {bytes:?}", decoder.name);
        }
    }
}
