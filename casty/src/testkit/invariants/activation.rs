//! One activation at a time has effects.

use std::collections::BTreeMap;

use super::lists::answered;
use crate::testkit::workload::Recording;

/// Two instances of an entity that both count would append at the same place, and tell two askers so.
pub(super) fn check(recording: &Recording) -> Vec<String> {
    let mut twice = Vec::new();
    for (id, operations) in &recording.lists {
        let mut places = BTreeMap::new();
        for (token, at, length) in answered(operations) {
            if let Some(other) = places.insert(length, token) {
                twice.push(format!("{id} answered {at:?} that {token:#x} is number {length}, as it had of {other:#x}"));
            }
        }
    }
    twice
}
