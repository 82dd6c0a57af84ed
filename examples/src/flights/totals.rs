//! What is kept of one aircraft: a plain fold over its flights.
//!
//! The entities and the sequential reference use the same fold, so a difference between them can only come from a row
//! that was lost, doubled or moved on its way.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::rows::Flight;

/// The totals of one aircraft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows, cancelled ones included.
    pub flights: u64,
    /// Rows without a time of departure.
    pub cancelled: u64,
    /// Miles of all rows, cancelled ones included.
    pub distance_miles: u64,
    /// Sum of the delays that are known.
    pub dep_delay_min_total: i64,
    /// The largest of them; `None` if none is known.
    pub dep_delay_min_max: Option<i32>,
    /// Destination of the last row.
    pub last_dest: String,
    /// FNV-1a, 64 bits, over `carrier flight origin dest;` of all rows in order, without the blanks.
    pub route_hash: u64,
}

impl Totals {
    /// Counts one more flight.
    pub fn add(&mut self, flight: &Flight) {
        self.flights += 1;
        self.cancelled += u64::from(flight.dep_time.is_none());
        self.distance_miles += u64::from(flight.distance_miles);
        if let Some(delay) = flight.dep_delay_min {
            self.dep_delay_min_total += i64::from(delay);
            self.dep_delay_min_max = self.dep_delay_min_max.max(Some(delay));
        }
        self.last_dest.clone_from(&flight.dest);
        for part in [&flight.carrier, &flight.number, &flight.origin, &flight.dest] {
            self.route_hash = fnv1a(self.route_hash, part.as_bytes());
        }
        self.route_hash = fnv1a(self.route_hash, b";");
    }
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            flights: 0,
            cancelled: 0,
            distance_miles: 0,
            dep_delay_min_total: 0,
            dep_delay_min_max: None,
            last_dest: String::new(),
            route_hash: FNV_OFFSET_BASIS,
        }
    }
}

/// Totals by `tailnum`, in the order of its bytes.
pub type AllTotals = BTreeMap<String, Totals>;

/// The totals of all aircraft, by one pass over the rows: what the cluster has to arrive at.
pub fn fold<'a>(flights: impl IntoIterator<Item = &'a Flight>) -> AllTotals {
    let mut all = AllTotals::new();
    for flight in flights {
        match all.get_mut(&flight.tailnum) {
            Some(totals) => totals.add(flight),
            None => all.entry(flight.tailnum.clone()).or_default().add(flight),
        }
    }
    all
}

/// Writes a header and one line an aircraft, sorted by `tailnum` as bytes.
pub fn write_csv(all: &AllTotals, out: impl Write) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER)?;
    for (tailnum, totals) in all {
        csv.write_record([
            tailnum,
            &totals.flights.to_string(),
            &totals.cancelled.to_string(),
            &totals.distance_miles.to_string(),
            &totals.dep_delay_min_total.to_string(),
            &totals.dep_delay_min_max.map(|max| max.to_string()).unwrap_or_default(),
            &totals.last_dest,
            &format!("{:016x}", totals.route_hash),
        ])?;
    }
    Ok(csv.flush()?)
}

const HEADER: [&str; 8] = [
    "tailnum",
    "flights",
    "cancelled",
    "distance_miles",
    "dep_delay_min_total",
    "dep_delay_min_max",
    "last_dest",
    "route_hash",
];

// FNV-1a with 64 bits: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm", sections 2 and 5.
const FNV_OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}
