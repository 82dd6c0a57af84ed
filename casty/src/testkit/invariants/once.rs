//! No request is applied twice.

use std::collections::BTreeSet;

use super::lists::reads;
use crate::testkit::workload::Recording;

/// Every token is appended by one request, so no list has it twice.
pub(super) fn check(recording: &Recording) -> Vec<String> {
    let mut twice = Vec::new();
    for (id, operations) in &recording.lists {
        for (call, tokens) in reads(operations) {
            let mut seen = BTreeSet::new();
            if let Some(token) = tokens.iter().find(|token| !seen.insert(**token)) {
                twice.push(format!("a read of {id} at {call:?} sees token {token:#x} twice"));
                break;
            }
        }
    }
    twice
}
