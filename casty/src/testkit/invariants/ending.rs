//! Lists whose end is known, which makes the search for an order short.

use std::collections::BTreeSet;

use super::lists::{answered, reads};
use crate::testkit::history::{End, Operation};
use crate::testkit::linearizability::Model;
use crate::testkit::linearizability::models::{AppendListInput, AppendListOutput};

type Op = Operation<AppendListInput, AppendListOutput>;

/// A list whose longest read is known. The state is its length, or nothing once it has become another list.
pub(super) struct EndsAs {
    tokens: Vec<u64>,
}

impl EndsAs {
    /// The list that the longest read saw, and the operations without those that left no trace.
    ///
    /// `None` if an answered append is not in it: it came later, or was lost. Otherwise every answered operation belongs
    /// before the state that this read saw, so an append of unknown outcome that it did not see changed nothing that
    /// anybody saw.
    pub(super) fn of(operations: &[Op]) -> Option<(Self, Vec<Op>)> {
        let (_, tokens) = reads(operations).max_by_key(|(_, tokens)| tokens.len())?;
        let known: BTreeSet<_> = tokens.iter().collect();
        if answered(operations).any(|(token, ..)| !known.contains(&token)) {
            return None;
        }
        let traceless = |operation: &&Op| match (&operation.input, &operation.end) {
            (AppendListInput::Append(token), End::Unknown) => !known.contains(token),
            _ => false,
        };
        let traces = operations.iter().filter(|operation| !traceless(operation)).cloned().collect();
        Some((Self { tokens: tokens.to_vec() }, traces))
    }
}

impl Model for EndsAs {
    type State = Option<usize>;
    type Input = AppendListInput;
    type Output = AppendListOutput;

    fn start(&self) -> Option<usize> {
        Some(0)
    }

    fn apply(&self, length: &Option<usize>, input: &AppendListInput) -> (Option<usize>, AppendListOutput) {
        let fits = |length: &usize, token| self.tokens.get(*length) == Some(token);
        match (length, input) {
            (Some(length), AppendListInput::Append(token)) if fits(length, token) => {
                (Some(length + 1), AppendListOutput::Length(*length as u64 + 1))
            }
            (Some(length), AppendListInput::Read) => {
                (Some(*length), AppendListOutput::Tokens(self.tokens[..*length].to_vec()))
            }
            _ => (None, AppendListOutput::Length(0)),
        }
    }

    fn is_read(&self, input: &AppendListInput) -> bool {
        matches!(input, AppendListInput::Read)
    }

    fn may_yet_return(&self, length: &Option<usize>, input: &AppendListInput, output: &AppendListOutput) -> bool {
        match (length, input, output) {
            (Some(length), AppendListInput::Append(_), AppendListOutput::Length(told)) => *length < *told as usize,
            (Some(length), AppendListInput::Read, AppendListOutput::Tokens(seen)) => {
                *length <= seen.len() && self.tokens.starts_with(seen)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testkit::history::History;
    use crate::testkit::linearizability::{Limits, Verdict, check};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A list to which one client appends, and another whose appends are all of unknown outcome; every third happens.
    fn history(appends: u64) -> History<AppendListInput, AppendListOutput> {
        let (history, mut tokens) = (History::new(), Vec::new());
        for number in 0..appends {
            let (kept, lost) = (number, 1_000_000 + number);
            history.call(2, ms(10 * number), AppendListInput::Append(lost)).unknown();
            if number % 3 == 0 {
                tokens.push(lost);
            }
            let append = history.call(1, ms(10 * number + 1), AppendListInput::Append(kept));
            tokens.push(kept);
            append.returned(ms(10 * number + 2), AppendListOutput::Length(tokens.len() as u64));
        }
        let read = history.call(1, ms(10 * appends), AppendListInput::Read);
        read.returned(ms(10 * appends + 1), AppendListOutput::Tokens(tokens));
        history
    }

    #[test]
    fn many_appends_of_unknown_outcome_are_judged_in_few_steps() {
        let (model, traces) = EndsAs::of(&history(500).operations()).unwrap();
        assert_eq!(check(&model, &traces, Limits::default()), Verdict::Linearizable);
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        for appends in [3, 100] {
            let history = history(appends);
            // A read that has not seen what was answered long before.
            let read = history.call(1, ms(10_000), AppendListInput::Read);
            read.returned(ms(10_001), AppendListOutput::Tokens(vec![1_000_000]));
            let (model, traces) = EndsAs::of(&history.operations()).unwrap();
            assert!(check(&model, &traces, Limits::default()).is_violation());
        }
    }

    #[test]
    fn a_list_without_an_answered_append_is_left_to_the_plain_search() {
        let history = history(3);
        history.call(1, ms(100), AppendListInput::Append(7)).returned(ms(101), AppendListOutput::Length(9));
        assert!(EndsAs::of(&history.operations()).is_none());
    }
}
