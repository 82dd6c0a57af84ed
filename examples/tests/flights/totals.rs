//! The fold, against values worked out by hand and the known figures of the data.

use casty_examples::flights::rows::Flight;
use casty_examples::flights::totals::{Totals, fold, write_csv};

use crate::sample::{flight, january};

fn csv(flights: &[Flight]) -> String {
    let mut out = Vec::new();
    write_csv(&fold(flights), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const HEADER: &str =
    "tailnum,flights,cancelled,distance_miles,dep_delay_min_total,dep_delay_min_max,last_dest,route_hash\n";

/// FNV-1a with 64 bits of `UA1545EWRIAH;`, and of that with `UA1579EWRMIA;` behind it: computed apart.
const HASH_OF_ONE: u64 = 0x9e20_ac22_cb68_fc53;
const HASH_OF_TWO: u64 = 0x7a8f_c908_5300_9f7d;

#[test]
fn the_hash_is_that_of_the_reference_implementation() {
    let mut totals = Totals::default();
    assert_eq!(totals.route_hash, 0xcbf2_9ce4_8422_2325);
    totals.add(&flight("N14228", 1545));
    assert_eq!(totals.route_hash, HASH_OF_ONE);
    totals.add(&Flight { dest: "MIA".into(), ..flight("N14228", 1579) });
    assert_eq!(totals.route_hash, HASH_OF_TWO);
}

#[test]
fn a_cancelled_flight_counts_and_its_distance_too() {
    let cancelled = Flight { dep_time: None, dep_delay_min: None, ..flight("N1", 1) };
    let mut totals = Totals::default();
    totals.add(&cancelled);
    assert_eq!((totals.flights, totals.cancelled, totals.distance_miles), (1, 1, 1400));
    assert_eq!((totals.dep_delay_min_total, totals.dep_delay_min_max), (0, None));
    assert_eq!(totals.last_dest, "IAH");
}

#[test]
fn delays_may_be_negative_and_unknown() {
    let mut totals = Totals::default();
    for (delay, total, max) in [(Some(-9), -9, -9), (None, -9, -9), (Some(-3), -12, -3), (Some(40), 28, 40)] {
        totals.add(&Flight { dep_delay_min: delay, ..flight("N1", 1) });
        assert_eq!((totals.dep_delay_min_total, totals.dep_delay_min_max), (total, Some(max)));
    }
}

#[test]
fn the_csv_is_sorted_by_bytes_and_leaves_an_unknown_delay_empty() {
    let unknown = Flight { dep_delay_min: None, ..flight("b", 1545) };
    let late = Flight { dep_delay_min: Some(-7), ..flight("B", 1545) };
    let quoted = flight("a,b", 1545);
    let hash = format!("{HASH_OF_ONE:016x}");
    let expected = [
        format!("B,1,0,1400,-7,-7,IAH,{hash}\n"),
        format!("\"a,b\",1,0,1400,0,0,IAH,{hash}\n"),
        format!("b,1,0,1400,0,,IAH,{hash}\n"),
        format!("é,1,0,1400,0,0,IAH,{hash}\n"),
    ];
    assert_eq!(csv(&[flight("é", 1545), unknown, quoted, late]), HEADER.to_owned() + &expected.concat());
}

#[test]
fn the_totals_of_january_are_the_known_ones() {
    let all = fold(&january());
    assert_eq!(all.len(), 3_149);
    assert_eq!(all.values().map(|totals| totals.flights).sum::<u64>(), 27_004);
    assert_eq!(all.values().map(|totals| totals.cancelled).sum::<u64>(), 521);
    assert_eq!(all.values().map(|totals| totals.distance_miles).sum::<u64>(), 27_188_805);
    assert_eq!(all.values().map(|totals| totals.dep_delay_min_total).sum::<i64>(), 265_801);
    // Worked out by another program, in another language.
    let csv = csv(&january());
    for line in [
        "N0EGMQ,41,1,29610,96,54,BNA,025a9cccf65bcf1e",
        "N10156,28,2,18863,969,126,DSM,0861d04fcef4cb00",
        "N347SW,1,1,872,0,,STL,aeb68ff093bce044",
        "NA,155,155,81763,0,,IAH,2495d7d106f846b8",
    ] {
        assert!(csv.contains(&format!("\n{line}\n")), "{line}");
    }
}
