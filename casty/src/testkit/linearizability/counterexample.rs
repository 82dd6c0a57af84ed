//! Why a history is not linearizable, for people.

use std::fmt::{self, Debug};
use std::time::Duration;

use super::Model;
use super::search::{Furthest, Search};
use crate::testkit::history::{End, Operation};

/// How many of the placed operations, and of those of unknown outcome, are printed.
const LINES: usize = 12;

/// The most operations that could be put in an order, and those that could not follow. Its `Display` is a short timeline.
///
/// The search reports where it came furthest. What went wrong is often there, and may be earlier: an answer that was wrong may
/// fit until a later one contradicts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counterexample {
    /// The operations that were placed, in this order.
    pub placed: Vec<Line>,
    /// How many operations there are.
    pub operations: usize,
    /// The state after those that were placed.
    pub state: String,
    /// One of these must be next, and none can.
    pub stuck: Vec<Stuck>,
    /// Operations of unknown outcome that might have been next, and did not help.
    pub left: Vec<Line>,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the history that was given; within its key, if the check was one for each key.
    pub index: usize,
    /// Who asked.
    pub client: u64,
    /// When.
    pub call: Duration,
    /// When it was answered. `None` if it was not.
    pub returned: Option<Duration>,
    /// What was asked.
    pub input: String,
    /// The answer. `None` if there was none.
    pub output: Option<String>,
}

/// An operation that could not be next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The operation with the answer that it got.
    pub line: Line,
    /// The answer that the model gives in the state there.
    pub expected: String,
}

impl<M: Model> Search<'_, M> {
    /// Where the search came furthest.
    pub(super) fn counterexample(self) -> Counterexample {
        let line = |index: usize| Line::new(index, self.operations[index]);
        let operations = self.operations.len();
        let Some(Furthest { order, state, stuck, left, .. }) = &self.furthest else {
            return Counterexample { operations, ..Counterexample::default() };
        };
        let state = self.states.get(*state);
        let stuck = stuck.iter().copied().map(|index| {
            let expected = self.model.apply(state, &self.operations[index].input).1;
            Stuck { line: line(index), expected: format!("{expected:?}") }
        });
        Counterexample {
            placed: order.iter().copied().map(line).collect(),
            operations,
            stuck: stuck.collect(),
            state: format!("{state:?}"),
            left: left.iter().copied().map(line).collect(),
        }
    }
}

impl Line {
    fn new<I: Debug, O: Debug>(index: usize, operation: &Operation<I, O>) -> Self {
        let (returned, output) = match &operation.end {
            End::Returned { at, output } => (Some(*at), Some(format!("{output:?}"))),
            End::Unknown => (None, None),
        };
        let input = format!("{:?}", operation.input);
        Self { index, client: operation.client, call: operation.call, returned, input, output }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let returned = self.returned.map_or_else(|| "?".to_owned(), milliseconds);
        let output = self.output.as_deref().unwrap_or("unknown");
        let (call, client) = (milliseconds(self.call), self.client);
        write!(f, "{call:>12} .. {returned:>12}  client {client:<4} {} -> {output}", self.input)
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { placed, operations, state, stuck, left } = self;
        writeln!(
            f,
            "not linearizable: {} of {operations} operations can be put in order, and then none fits",
            placed.len()
        )?;
        let hidden = placed.len().saturating_sub(LINES);
        if hidden > 0 {
            writeln!(f, "  ({hidden} earlier ones)")?;
        }
        placed[hidden..].iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "the state is then {state}, and one of these must be next:")?;
        for Stuck { line, expected } in stuck {
            writeln!(f, "  {line}, but {expected} would be right")?;
        }
        if !left.is_empty() {
            writeln!(f, "these, of unknown outcome, may have happened, and do not help:")?;
            left.iter().take(LINES).try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        if left.len() > LINES {
            writeln!(f, "  ({} more)", left.len() - LINES)?;
        }
        Ok(())
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
