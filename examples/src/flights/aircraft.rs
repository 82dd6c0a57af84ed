//! The entity: one aircraft.

use casty::prelude::*;

use super::ledger::Ledger;
use super::rows::Flight;
use super::summary::Summary;
use super::totals::Totals;

/// A flight departs, or is cancelled.
#[message]
#[derive(Clone, Debug)]
pub struct Departure {
    /// Which row of this aircraft it is, from 1.
    pub ordinal: u64,
    /// The row.
    pub flight: Flight,
}

/// Asks for everything that is known of the aircraft.
#[message]
#[derive(Clone, Debug)]
pub struct Report {
    /// How many rows of this aircraft were sent: without it, a lost last row could not be told.
    pub sent: u64,
}

/// One aircraft: its totals, and which of its rows have arrived.
#[persistent]
pub struct Aircraft {
    totals: Totals,
    ledger: Ledger,
}

#[actor]
impl Aircraft {
    /// An aircraft that has not flown yet.
    pub fn new(_id: EntityId) -> Self {
        Self { totals: Totals::default(), ledger: Ledger::default() }
    }

    /// Counts a flight, and answers how many there are so far.
    #[handler]
    pub fn depart(&mut self, departure: Departure) -> u64 {
        self.ledger.arrived(departure.ordinal);
        self.totals.add(&departure.flight);
        self.totals.flights
    }

    /// Tells the totals.
    #[handler]
    pub fn report(&self, report: Report) -> Summary {
        Summary { totals: self.totals.clone(), counters: self.ledger.counters(report.sent) }
    }
}
