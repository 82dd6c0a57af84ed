//! Counting what was lost, doubled and out of order.

use casty_examples::flights::ledger::{Counters, GAPS_MAX, Ledger};

fn after(ordinals: impl IntoIterator<Item = u64>) -> Ledger {
    let mut ledger = Ledger::default();
    ordinals.into_iter().for_each(|ordinal| ledger.arrived(ordinal));
    ledger
}

fn counted(ordinals: impl IntoIterator<Item = u64>, sent: u64) -> (u64, u64, u64) {
    let Counters { lost, duplicated, out_of_order } = after(ordinals).counters(sent);
    (lost, duplicated, out_of_order)
}

#[test]
fn in_order_and_once_counts_nothing() {
    assert_eq!(counted(1..=1000, 1000), (0, 0, 0));
    assert_eq!(counted([], 0), (0, 0, 0));
}

#[test]
fn a_gap_is_lost() {
    assert_eq!(counted([1, 2, 4, 5], 5), (1, 0, 0));
    assert_eq!(counted([3], 3), (2, 0, 0));
    assert_eq!(counted([1, 5, 9], 9), (6, 0, 0));
}

#[test]
fn the_last_rows_are_lost_too_if_they_do_not_arrive() {
    assert_eq!(counted([1, 2, 3], 4), (1, 0, 0));
    assert_eq!(counted([], 3), (3, 0, 0));
    assert_eq!(counted([1, 3], 5), (3, 0, 0));
}

#[test]
fn a_repeated_ordinal_is_duplicated() {
    assert_eq!(counted([1, 2, 2, 3], 3), (0, 1, 0));
    assert_eq!(counted([1, 2, 3, 1, 1], 3), (0, 2, 0));
}

#[test]
fn a_gap_that_is_filled_is_out_of_order_and_not_lost() {
    assert_eq!(counted([1, 3, 2, 4], 4), (0, 0, 1));
    assert_eq!(counted([5, 4, 3, 2, 1], 5), (0, 0, 4));
    assert_eq!(counted([1, 10, 5, 5, 2, 3], 10), (5, 1, 3));
}

#[test]
fn gaps_beyond_the_bound_stay_lost_and_memory_stays_bounded() {
    let gaps = 10 * GAPS_MAX as u64;
    let odd = || (1..=gaps).map(|n| 2 * n + 1);
    assert_eq!(counted(std::iter::once(1).chain(odd()), 2 * gaps + 1), (gaps, 0, 0));
    let text = serde_json::to_string(&after(odd())).unwrap();
    assert!(text.len() < 1000, "{} bytes", text.len());
    // 2 lies in a gap that was given up: it stays lost, and its arrival is late.
    assert_eq!(counted(odd().chain([2]), 2 * gaps + 1).2, 1);
    // 2 * gaps lies in the last gap, which is kept.
    assert_eq!(counted(std::iter::once(1).chain(odd()).chain([2 * gaps]), 2 * gaps + 1), (gaps - 1, 0, 1));
}

#[test]
fn any_fault_in_any_order_leaves_a_trace() {
    // Every sequence of four arrivals among four ordinals: only 1, 2, 3, 4 is clean.
    for code in 0..256u64 {
        let arrivals = [code % 4 + 1, code / 4 % 4 + 1, code / 16 % 4 + 1, code / 64 + 1];
        let clean = counted(arrivals, 4) == (0, 0, 0);
        assert_eq!(clean, arrivals == [1, 2, 3, 4], "{arrivals:?}");
        let (lost, duplicated, _) = counted(arrivals, 4);
        assert_eq!(4 - lost + duplicated, 4, "{arrivals:?}: what arrived is counted once");
    }
}
