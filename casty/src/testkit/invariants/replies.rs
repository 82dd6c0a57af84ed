//! A reply belongs to its ask.

use crate::testkit::workload::Recording;

/// Every reply repeats the number of its ask.
pub(super) fn check(recording: &Recording) -> Vec<String> {
    recording.notes.strange_replies.clone()
}
