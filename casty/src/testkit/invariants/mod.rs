//! What must hold of every cluster, whatever happens to it. One file each.

mod committed;
mod entries;
mod leaders;
mod matching;
mod tables;

use super::sim::Cluster;

/// Something that must hold after every step of a simulation.
pub trait Invariant: Send {
    /// What holds, as a sentence.
    fn name(&self) -> &str;

    /// Looks at the cluster. An `Err` says what does not hold.
    fn check(&mut self, cluster: &Cluster<'_>) -> Result<(), String>;
}

/// An invariant of the user's: a name and a function.
impl<F: FnMut(&Cluster<'_>) -> Result<(), String> + Send> Invariant for (&'static str, F) {
    fn name(&self) -> &str {
        self.0
    }

    fn check(&mut self, cluster: &Cluster<'_>) -> Result<(), String> {
        (self.1)(cluster)
    }
}

/// The invariants of consensus and replication.
pub(super) fn of_every_cluster() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(leaders::OneLeaderATerm::default()),
        Box::new(matching::LogsMatch::default()),
        Box::new(committed::CommittedStays::default()),
        Box::new(tables::TablesAgree::default()),
    ]
}
