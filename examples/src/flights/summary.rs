//! What an aircraft answers when it is asked for everything that it knows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ledger::Counters;
use super::totals::Totals;

/// Everything that is known of one aircraft.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The totals of its flights.
    pub totals: Totals,
    /// Rows that were lost, doubled or out of order.
    pub counters: Counters,
}

/// What the entities said, by `tailnum`.
pub type Summaries = BTreeMap<String, Summary>;
