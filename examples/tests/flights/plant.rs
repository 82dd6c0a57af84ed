//! Planted faults, through the plain fold of the ledger.

use std::collections::HashMap;

use casty_examples::flights::ledger::{Counters, Ledger};
use casty_examples::flights::plant::{Plant, PlantError, sendings};
use casty_examples::flights::rows::Flight;

use crate::sample::{flights, january};

fn counted(flights: &[Flight], plants: &[&str]) -> Result<(u64, u64, u64), PlantError> {
    let mut sent = sendings(flights);
    let counts = sent.clone();
    plants.iter().try_for_each(|plant| plant.parse::<Plant>()?.apply(flights, &mut sent))?;
    let mut ledgers: HashMap<&str, (Ledger, u64)> = HashMap::new();
    for sending in &counts {
        ledgers.entry(&flights[sending.row].tailnum).or_default().1 = sending.ordinal;
    }
    for sending in &sent {
        ledgers.entry(&flights[sending.row].tailnum).or_default().0.arrived(sending.ordinal);
    }
    let mut sum = Counters::default();
    ledgers.values().for_each(|(ledger, sent)| sum += ledger.counters(*sent));
    Ok((sum.lost, sum.duplicated, sum.out_of_order))
}

#[test]
fn ordinals_count_the_rows_of_each_aircraft() {
    let sent = sendings(&flights(&["a", "b", "a", "a", "b"]));
    assert_eq!(sent.iter().map(|sending| sending.ordinal).collect::<Vec<_>>(), [1, 1, 2, 3, 2]);
    assert!(sent.iter().enumerate().all(|(row, sending)| sending.row == row));
}

#[test]
fn planted_faults_are_counted() {
    let january = january();
    for (plants, counters) in [
        (&[][..], (0, 0, 0)),
        (&["drop"], (1, 0, 0)),
        (&["double"], (0, 1, 0)),
        (&["swap"], (0, 0, 1)),
        (&["drop", "double", "swap"], (1, 1, 1)),
        (&["drop:27004"], (1, 0, 0)),
        (&["drop:1", "drop:2", "double:3", "double:3"], (2, 2, 0)),
    ] {
        assert_eq!(counted(&january, plants).unwrap(), counters, "{plants:?}");
    }
}

#[test]
fn a_fault_in_the_last_or_only_row_of_an_aircraft_is_counted() {
    let flights = flights(&["a", "b", "a"]);
    assert_eq!(counted(&flights, &["drop:2"]).unwrap(), (1, 0, 0));
    assert_eq!(counted(&flights, &["drop:3"]).unwrap(), (1, 0, 0));
    assert_eq!(counted(&flights, &["double:2"]).unwrap(), (0, 1, 0));
    assert_eq!(counted(&flights, &["swap:1"]).unwrap(), (0, 0, 1));
}

#[test]
fn a_fault_that_cannot_be_planted_is_an_error() {
    let flights = flights(&["a", "b", "a"]);
    assert!(matches!(counted(&flights, &["swap:2"]), Err(PlantError::NoPartner { row: 2, .. })));
    assert!(matches!(counted(&flights, &["drop:4"]), Err(PlantError::NoRow { row: 4, .. })));
    assert!(matches!(counted(&flights, &["drop:1", "double:1"]), Err(PlantError::NoRow { row: 1, .. })));
    for text in ["", "lose", "drop:", "drop:0", "drop:x", "drop:1:2"] {
        assert!(matches!(counted(&flights, &[text]), Err(PlantError::Text { .. })), "{text:?}");
    }
}
