//! An answered write is never lost.

use super::lists::{answered, reads};
use crate::testkit::workload::Recording;

/// A read that was called after an append was answered sees its token, in the place that the answer named.
pub(super) fn check(recording: &Recording) -> Vec<String> {
    let mut lost = Vec::new();
    for (id, operations) in &recording.lists {
        let reads: Vec<_> = reads(operations).collect();
        for (token, at, length) in answered(operations) {
            let place = |tokens: &[u64]| tokens.get(length as usize - 1) == Some(&token);
            if let Some((call, _)) = reads.iter().find(|(call, tokens)| *call > at && !place(tokens)) {
                lost.push(format!(
                    "{id} answered {at:?} that token {token:#x} is number {length}; a read at {call:?} does not see it there"
                ));
            }
        }
    }
    lost
}
