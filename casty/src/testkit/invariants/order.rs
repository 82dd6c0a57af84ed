//! The order of each sender is kept.

use std::collections::BTreeMap;

use super::lists::reads;
use crate::testkit::workload::{Recording, client_of};

/// A client sends its tokens in growing order, so they stand in every list in growing order.
pub(super) fn check(recording: &Recording) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, operations) in &recording.lists {
        for (call, tokens) in reads(operations) {
            let mut last = BTreeMap::new();
            let overtaken = tokens.iter().find(|token| last.insert(client_of(**token), **token) > Some(**token));
            if let Some(token) = overtaken {
                wrong
                    .push(format!("a read of {id} at {call:?} sees token {token:#x} behind a later one of its sender"));
                break;
            }
        }
    }
    wrong
}
