//! The figures, and what differs.

use std::time::Duration;

use casty_examples::flights::compare::differences;
use casty_examples::flights::kills::Kill;
use casty_examples::flights::report::{Figures, Rejoined};
use casty_examples::flights::stream::Streamed;
use casty_examples::flights::summary::{Summaries, Summary};
use casty_examples::flights::totals::fold;
use serde_json::json;
use tokio::time::Instant;

use crate::sample::flights;

fn streamed(kills: Vec<Kill>) -> Streamed {
    let (time, latency_max) = (Duration::from_millis(500), Duration::from_micros(1234));
    Streamed { messages: 1000, time, latency_max, kills }
}

fn summaries(tailnums: &[&str]) -> Summaries {
    let all = fold(&flights(tailnums));
    all.into_iter().map(|(tailnum, totals)| (tailnum, Summary { totals, ..Summary::default() })).collect()
}

#[test]
fn the_json_has_the_agreed_fields() {
    let figures = Figures::new(&streamed(vec![]), None, &summaries(&["a", "b", "a"]));
    let expected = json!({
        "flights": 3, "entities": 2, "lost": 0, "duplicated": 0, "out_of_order": 0,
        "events_per_second": 2000.0, "failover_ms": null, "latency_ms_max": 1.2, "killed": 0,
        "rejoin_ms": null, "rejoined_groups": null, "rejoined_leads": null,
    });
    assert_eq!(serde_json::to_value(&figures).unwrap(), expected);
    assert!(figures.is_clean());
    let rejoined = Rejoined { longest: Duration::from_micros(345_678), groups: 12, leads: 4 };
    let figures = Figures::new(&streamed(vec![]), Some(rejoined), &summaries(&["a"]));
    let json = serde_json::to_value(&figures).unwrap();
    let found = ["rejoin_ms", "rejoined_groups", "rejoined_leads"].map(|name| &json[name]);
    assert_eq!(found, [&json!(345.7), &json!(12), &json!(4)]);
    assert!(figures.table(&[]).contains("346 ms"));
}

#[test]
fn counters_are_summed_over_all_entities() {
    let mut summaries = summaries(&["a", "b", "c"]);
    for (tailnum, lost) in [("a", 1), ("c", 2)] {
        summaries.get_mut(tailnum).unwrap().counters.lost = lost;
    }
    let figures = Figures::new(&streamed(vec![]), None, &summaries);
    assert_eq!((figures.lost, figures.is_clean()), (3, false));
}

#[test]
fn the_table_tells_who_was_killed_and_with_how_much_on_its_way() {
    let now = Instant::now();
    let mut kill = Kill::new("node-2".into(), [1, 2].map(casty::base::GroupId).into(), 64, now);
    kill.answered(casty::base::GroupId(1), now, now + Duration::from_millis(321));
    let streamed = streamed(vec![kill]);
    let figures = Figures::new(&streamed, None, &summaries(&["a"]));
    assert_eq!((figures.failover_ms, figures.killed), (Some(321.0), 1));
    let table = figures.table(&streamed.kills);
    for part in ["321 ms", "node-2", "led 2 groups", "64 unanswered (fewer than 100", "1 of its groups got no write"] {
        assert!(table.contains(part), "{part} in {table}");
    }
}

#[test]
fn a_difference_names_the_aircraft_and_its_fields() {
    let expected = fold(&flights(&["a", "b", "c", "c"]));
    assert_eq!(differences(&expected, &summaries(&["a", "b", "c", "c"])), [""; 0]);
    let mut found = summaries(&["a", "b", "c", "c"]);
    found.remove("a");
    found.get_mut("c").unwrap().totals.flights = 3;
    let differences = differences(&expected, &found);
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(differences[0].starts_with("a: flights is 0 and should be 1, "), "{differences:?}");
    assert_eq!(differences[1], "c: flights is 3 and should be 2");
}
