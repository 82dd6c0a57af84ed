//! Which messages of an aircraft arrived: each once, in order, none missing?
//!
//! Every message carries its ordinal among the rows of its aircraft: 1, 2, 3 and so on, in file order. The entity folds
//! the ordinals as they arrive, so the counters are part of its replicated state and tell what the state itself saw.

use serde::{Deserialize, Serialize};

/// The ordinals that arrived, and what was wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The highest ordinal that arrived.
    highest: u64,
    /// Ordinals below the highest that have not arrived: first and last of each gap, in ascending order.
    missing: Vec<(u64, u64)>,
    /// Missing ordinals of gaps that were given up.
    given_up: u64,
    /// Ordinals up to this one lie in gaps that were given up, or before one.
    given_up_to: u64,
    duplicated: u64,
    out_of_order: u64,
}

/// Gaps that are kept. Beyond this number the oldest gap is given up: its ordinals stay lost for good, and an ordinal
/// that arrives from there or from before counts as out of order, since a late one cannot be told from a repeated one.
pub const GAPS_MAX: usize = 32;

/// The counters at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Messages that were sent and did not arrive.
    pub lost: u64,
    /// Messages that arrived once more.
    pub duplicated: u64,
    /// Messages that arrived after a later one.
    pub out_of_order: u64,
}

impl Ledger {
    /// The message with this ordinal arrived.
    pub fn arrived(&mut self, ordinal: u64) {
        if ordinal > self.highest {
            if ordinal > self.highest + 1 {
                self.open_gap(self.highest + 1, ordinal - 1);
            }
            self.highest = ordinal;
        } else if ordinal <= self.given_up_to || self.fill(ordinal) {
            self.out_of_order += 1;
        } else {
            self.duplicated += 1;
        }
    }

    /// The counters, when `sent` messages were sent in all: the ones after the highest that arrived are lost, too.
    pub fn counters(&self, sent: u64) -> Counters {
        let in_gaps: u64 = self.missing.iter().map(|(first, last)| last - first + 1).sum();
        let at_the_end = sent.saturating_sub(self.highest);
        Counters {
            lost: in_gaps + self.given_up + at_the_end,
            duplicated: self.duplicated,
            out_of_order: self.out_of_order,
        }
    }

    fn open_gap(&mut self, first: u64, last: u64) {
        self.missing.push((first, last));
        self.keep_bounded();
    }

    /// Takes `ordinal` out of the gap that it lies in. False if it lies in none.
    fn fill(&mut self, ordinal: u64) -> bool {
        let Some(at) = self.missing.iter().position(|&(first, last)| (first..=last).contains(&ordinal)) else {
            return false;
        };
        let (first, last) = self.missing[at];
        let rest = [(first, ordinal - 1), (ordinal + 1, last)];
        self.missing.splice(at..=at, rest.into_iter().filter(|(first, last)| first <= last));
        self.keep_bounded();
        true
    }

    fn keep_bounded(&mut self) {
        if self.missing.len() > GAPS_MAX {
            let (first, last) = self.missing.remove(0);
            self.given_up += last - first + 1;
            self.given_up_to = last;
        }
    }
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.out_of_order += other.out_of_order;
    }
}
