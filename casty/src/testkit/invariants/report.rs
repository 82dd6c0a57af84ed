//! The outcome of a judgement.

use std::fmt;

use crate::testkit::history::{End, Operation};
use crate::testkit::workload::Recording;

/// The outcome of a judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many operations were judged.
    pub operations: usize,
    /// Of how many it is not known whether they happened.
    pub unknown: usize,
    /// What does not hold, and how that was seen.
    pub violations: Vec<String>,
    /// What could not be proven within the limits of the checks.
    pub unproven: Vec<String>,
}

impl Report {
    /// Counts operations.
    pub(super) fn of(recording: &Recording) -> Self {
        let mut report = Self::default();
        recording.registers.values().for_each(|operations| report.count(operations));
        recording.counters.values().for_each(|operations| report.count(operations));
        recording.lists.values().for_each(|operations| report.count(operations));
        recording.accounts.values().for_each(|operations| report.count(operations));
        report
    }

    fn count<I, O>(&mut self, operations: &[Operation<I, O>]) {
        self.operations += operations.len();
        self.unknown += operations.iter().filter(|operation| matches!(operation.end, End::Unknown)).count();
    }

    /// Adds what was found against an invariant.
    pub(super) fn add(&mut self, invariant: &str, found: Vec<String>) {
        self.violations.extend(found.into_iter().map(|explanation| format!("{invariant}: {explanation}")));
    }

    /// Whether everything holds, and is proven to.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty() && self.unproven.is_empty()
    }

    /// `Err` with all that speaks against the run.
    pub fn into_result(self) -> Result<(), String> {
        if self.is_good() { Ok(()) } else { Err(self.to_string()) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} operations, {} of unknown outcome", self.operations, self.unknown)?;
        for violation in &self.violations {
            write!(f, "\nviolated: {violation}")?;
        }
        for unproven in &self.unproven {
            write!(f, "\nnot proven: {unproven}")?;
        }
        Ok(())
    }
}
