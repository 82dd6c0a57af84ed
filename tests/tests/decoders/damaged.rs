//! Bytes that were once what a node sends.

use casty_tests::cabinet::decoders;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{each, is_closed, sample};

#[test]
fn what_a_node_sends_is_taken() {
    for decoder in decoders() {
        for sample in (decoder.samples)() {
            assert!((decoder.run)(&sample), "{}: {sample:?}", decoder.name);
        }
    }
}

#[test]
fn a_body_that_was_cut_off_anywhere_is_refused() {
    for decoder in decoders() {
        for sample in (decoder.samples)() {
            for end in 0..sample.len() {
                let taken = (decoder.run)(&sample[..end]);
                assert!(!taken || !is_closed(&decoder), "{}: the first {end} bytes of {sample:?}", decoder.name);
            }
        }
    }
}

#[test]
fn a_body_with_more_behind_it_is_refused() {
    each(
        |decoder| (sample(decoder), vec(any::<u8>(), 1..32)),
        |decoder, (sample, more)| {
            let taken = (decoder.run)(&[sample, more].concat());
            assert!(!taken || !is_closed(decoder), "the bytes behind it were taken");
        },
    );
}

#[test]
fn a_body_with_flipped_bits_is_refused_or_means_one_thing() {
    let flips = || vec((any::<prop::sample::Index>(), 0..8_u8), 1..8);
    each(
        |decoder| (sample(decoder), flips()),
        |decoder, (mut sample, flips)| {
            for (at, bit) in flips {
                if !sample.is_empty() {
                    let at = at.index(sample.len());
                    sample[at] ^= 1 << bit;
                }
            }
            (decoder.run)(&sample);
        },
    );
}

#[test]
fn two_halves_that_do_not_belong_together_are_refused_or_mean_one_thing() {
    let cut = || any::<prop::sample::Index>();
    each(
        |decoder| (sample(decoder), sample(decoder), cut(), cut()),
        |decoder, (first, second, end, begin)| {
            let (end, begin) = (end.index(first.len() + 1), begin.index(second.len() + 1));
            (decoder.run)(&[&first[..end], &second[begin..]].concat());
        },
    );
}
