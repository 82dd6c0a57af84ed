//! How a run ended.

use std::fmt;
use std::time::Duration;

use super::trace::{Fingerprint, Line};

/// How many lines before a violation are shown.
const LINES_SHOWN: usize = 60;

/// A run in which everything held.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passed {
    /// The seed.
    pub seed: u64,
    /// How long the run lasted, in simulated time.
    pub lasted: Duration,
    /// What tells the run from others.
    pub fingerprint: Fingerprint,
    /// What happened, in words.
    pub lines: Vec<Line>,
}

/// A run in which something did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What did not hold.
    pub invariant: String,
    /// How it was seen.
    pub explanation: String,
    /// When, in simulated time.
    pub at: Duration,
    /// What tells the run from others.
    pub fingerprint: Fingerprint,
    /// What happened up to then, in words.
    pub lines: Vec<Line>,
    /// The command that does the same again.
    pub replay: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, invariant, explanation, at, lines, replay, .. } = self;
        writeln!(f, "seed {seed}, after {:.3} s: it does not hold that {invariant}", at.as_secs_f64())?;
        writeln!(f, "  {}\n", explanation.replace('\n', "\n  "))?;
        let skipped = lines.len().saturating_sub(LINES_SHOWN);
        writeln!(f, "what happened before ({skipped} earlier lines are left out):")?;
        for line in &lines[skipped..] {
            writeln!(f, "  {line}")?;
        }
        write!(f, "\nthe same again: {replay}")
    }
}
