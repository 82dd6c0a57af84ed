//! Whether the cluster arrived at what the sequential fold arrived at.

use std::collections::BTreeSet;

use super::summary::Summaries;
use super::totals::{AllTotals, Totals};

/// One sentence an aircraft whose totals are not those of the reference, in the order of `tailnum`.
pub fn differences(expected: &AllTotals, found: &Summaries) -> Vec<String> {
    let tailnums: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let nothing = Totals::default();
    let compare = |tailnum: &String| {
        let expected = expected.get(tailnum).unwrap_or(&nothing);
        let found = found.get(tailnum).map_or(&nothing, |summary| &summary.totals);
        (expected != found).then(|| format!("{tailnum}: {}", fields(expected, found).join(", ")))
    };
    tailnums.into_iter().filter_map(compare).collect()
}

fn fields(expected: &Totals, found: &Totals) -> Vec<String> {
    let show = |totals: &Totals| {
        [
            ("flights", totals.flights.to_string()),
            ("cancelled", totals.cancelled.to_string()),
            ("distance_miles", totals.distance_miles.to_string()),
            ("dep_delay_min_total", totals.dep_delay_min_total.to_string()),
            ("dep_delay_min_max", totals.dep_delay_min_max.map_or("none".to_owned(), |max| max.to_string())),
            ("last_dest", format!("{:?}", totals.last_dest)),
            ("route_hash", format!("{:016x}", totals.route_hash)),
        ]
    };
    let pairs = show(expected).into_iter().zip(show(found));
    pairs.filter(|(a, b)| a != b).map(|((name, a), (_, b))| format!("{name} is {b} and should be {a}")).collect()
}
