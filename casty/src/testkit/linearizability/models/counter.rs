//! A total that only grows.

use serde::{Deserialize, Serialize};

use super::super::Model;

/// A total, zero at first, that ends at `u64::MAX`. Whatever it is asked, it answers with its total then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter;

/// What a [`Counter`] may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CounterInput {
    /// Grow by this much; the answer is the new total.
    Add(u64),
    /// The total, please.
    Read,
}

impl Model for Counter {
    type State = u64;
    type Input = CounterInput;
    type Output = u64;

    fn start(&self) -> u64 {
        0
    }

    fn apply(&self, total: &u64, input: &CounterInput) -> (u64, u64) {
        let total = match *input {
            CounterInput::Add(amount) => total.saturating_add(amount),
            CounterInput::Read => *total,
        };
        (total, total)
    }

    fn is_read(&self, input: &CounterInput) -> bool {
        matches!(input, CounterInput::Read)
    }

    fn may_yet_return(&self, total: &u64, input: &CounterInput, output: &u64) -> bool {
        self.apply(total, input).1 <= *output
    }
}
