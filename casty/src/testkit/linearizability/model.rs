//! What an object should do: its sequential specification.

use std::fmt::Debug;
use std::hash::Hash;

/// A deterministic object that does one operation at a time. A concurrent history is right if it looks as if one of these
/// had been asked.
pub trait Model {
    /// What the object holds. Small or cheap to clone: the search keeps each state that it sees once.
    type State: Clone + Eq + Hash + Debug;
    /// What it may be asked. Equal inputs have equal effects.
    type Input: PartialEq + Debug;
    /// What it answers.
    type Output: PartialEq + Debug;

    /// The state before the first operation.
    fn start(&self) -> Self::State;

    /// What `input` does in `state`: the state after it, and the answer.
    fn apply(&self, state: &Self::State, input: &Self::Input) -> (Self::State, Self::Output);

    /// Whether `input` never changes a state, whichever it is. A model that knows its reads makes the search faster.
    fn is_read(&self, _input: &Self::Input) -> bool {
        false
    }

    /// Whether `input` may return `output` in `state` or in any state that operations can lead to from there. A model
    /// whose states only grow says no once they have grown too far, which makes the search far faster where many outcomes
    /// are unknown. In doubt it is yes.
    fn may_yet_return(&self, _state: &Self::State, _input: &Self::Input, _output: &Self::Output) -> bool {
        true
    }
}
