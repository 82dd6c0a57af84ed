//! What must hold, whatever happens. One file each.
//!
//! Those of consensus and replication look at a simulated cluster after every step ([`Invariant`]). Those of entities look at
//! what clients saw ([`judge`]), in simulations and on real processes.

mod activation;
mod answered;
mod committed;
mod deadlines;
mod ending;
mod entries;
mod leaders;
mod linearizable;
mod lists;
mod matching;
mod money;
mod once;
mod order;
mod replies;
mod report;
mod tables;

use super::sim::Cluster;
use super::workload::Recording;

pub use report::Report;

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

/// Judges what the clients of a run saw. The recording must end with a look at every object.
pub fn judge(recording: &Recording) -> Report {
    let mut report = Report::of(recording);
    report.add("an answered write is never lost", answered::check(recording));
    report.add("no request is applied twice", once::check(recording));
    report.add("the order of each sender is kept", order::check(recording));
    report.add("one activation at a time has effects", activation::check(recording));
    report.add("a reply belongs to its ask", replies::check(recording));
    report.add("an ask ends by its deadline", deadlines::check(recording));
    report.add("money is neither made nor lost", money::check(recording));
    linearizable::check(recording, &mut report);
    report
}
