//! An ask ends by its deadline.

use crate::testkit::workload::Recording;

/// No ask took longer than it had, and the 20 ms that are promised.
pub(super) fn check(recording: &Recording) -> Vec<String> {
    let late = |(what, time, took): &(String, _, _)| format!("{what} had {time:?} and took {took:?}");
    recording.notes.late.iter().map(late).collect()
}
