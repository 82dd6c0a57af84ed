//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What came of a run. Times are in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Where its random choices began.
    pub seed: u64,
    /// What came of each round.
    pub rounds: Vec<RoundReport>,
}

/// What came of a round. Times are in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RoundReport {
    /// Where its random choices began.
    pub seed: u64,
    /// What joined the nodes.
    pub wires: String,
    /// How many operations the clients began.
    pub operations: usize,
    /// Of how many it is not known whether they happened.
    pub unknown: usize,
    /// What does not hold.
    pub violations: Vec<String>,
    /// What could not be proven within the limits of the checks.
    pub unproven: Vec<String>,
    /// How many asks ended after their deadlines, though not by much: machines that test are busy.
    pub late_asks: usize,
    /// By how much at most.
    pub latest_ask_ms: u64,
    /// What was done, and when after the start.
    pub faults: Vec<String>,
    /// How many nodes left the cluster in order.
    pub leaves: usize,
    /// How many nodes took the places of killed ones, or of those that had left, and came to hold all that they were to.
    pub replaced: usize,
    /// For each object the longest time under faults without an answered write.
    pub unavailable_ms: BTreeMap<String, u64>,
    /// The longest time from the kill of a node in a whole cluster, with nothing else broken, until all objects had answered a new write.
    pub longest_failover_ms: Option<u64>,
    /// From the end of the faults until all objects had answered a new write.
    pub recovery_ms: Option<u64>,
    /// From the end of the faults until every group had all its replicas again.
    pub whole_ms: Option<u64>,
}

impl RoundReport {
    /// Whether all holds, and is proven to.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty() && self.unproven.is_empty()
    }

    fn longest_unavailable_ms(&self) -> u64 {
        self.unavailable_ms.values().copied().max().unwrap_or(0)
    }
}

impl Report {
    /// Whether all holds in every round, and is proven to.
    pub fn is_good(&self) -> bool {
        self.rounds.iter().all(RoundReport::is_good)
    }
}

impl fmt::Display for RoundReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, wires, operations, unknown, violations, unproven, late_asks, latest_ask_ms, .. } = self;
        write!(
            f,
            "round {seed} on {wires}: {operations} operations, {unknown} unknown, {} violations",
            violations.len()
        )?;
        write!(f, ", {} faults, longest without a write {} ms", self.faults.len(), self.longest_unavailable_ms())?;
        write!(f, ", longest failover {}", Ms(self.longest_failover_ms))?;
        write!(f, ", recovered within {}, whole within {}", Ms(self.recovery_ms), Ms(self.whole_ms))?;
        write!(f, ", {} left, {} replaced", self.leaves, self.replaced)?;
        if *late_asks > 0 {
            write!(f, ", {late_asks} asks late by up to {latest_ask_ms} ms")?;
        }
        violations.iter().try_for_each(|violation| write!(f, "\nviolated: {violation}"))?;
        unproven.iter().try_for_each(|unproven| write!(f, "\nnot proven: {unproven}"))?;
        if !self.is_good() {
            self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&RoundReport) -> usize| self.rounds.iter().map(of).sum::<usize>();
        let (operations, unknown) = (sum(|round| round.operations), sum(|round| round.unknown));
        let violations = sum(|round| round.violations.len());
        write!(f, "seed {}, {} rounds: {operations} operations, ", self.seed, self.rounds.len())?;
        write!(f, "{unknown} unknown, {violations} violations, {} faults", sum(|round| round.faults.len()))?;
        let longest = self.rounds.iter().map(RoundReport::longest_unavailable_ms).max().unwrap_or(0);
        let failover = self.rounds.iter().filter_map(|round| round.longest_failover_ms).max();
        let recovery = self.rounds.iter().filter_map(|round| round.recovery_ms).max();
        write!(f, "; longest without a write {longest} ms, longest failover {}", Ms(failover))?;
        let whole = self.rounds.iter().filter_map(|round| round.whole_ms).max();
        let (leaves, replaced) = (sum(|round| round.leaves), sum(|round| round.replaced));
        write!(f, ", longest recovery {}, whole within {}", Ms(recovery), Ms(whole))?;
        write!(f, "; {leaves} nodes left, {replaced} took the places of others")
    }
}

/// A time that may not have been seen.
struct Ms(Option<u64>);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ms) => write!(f, "{ms} ms"),
            None => f.write_str("(not seen)"),
        }
    }
}
