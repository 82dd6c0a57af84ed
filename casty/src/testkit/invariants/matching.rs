//! Log matching.

use std::collections::BTreeMap;

use super::Invariant;
use super::entries::{Reader, hash_of};
use crate::base::GroupId;
use crate::storage::LogPosition;
use crate::testkit::sim::Cluster;

/// If two logs hold an entry with the same index and term, they agree on it and on all before it (Ongaro and Ousterhout
/// 2014, figure 3, "log matching").
///
/// It is enough that each pair of index and term stands for one entry with one predecessor: the rest follows by
/// induction.
#[derive(Default)]
pub(super) struct LogsMatch {
    reader: Reader,
    /// What an entry says, and the term of the entry before it, where that was seen.
    entries: BTreeMap<(GroupId, LogPosition), (u64, Option<u64>)>,
}

impl Invariant for LogsMatch {
    fn name(&self) -> &str {
        "logs match"
    }

    fn check(&mut self, cluster: &Cluster<'_>) -> Result<(), String> {
        for replica in cluster.replicas() {
            if let Some(log) = &replica.log {
                self.reader.rewind(replica, log.as_ref());
            }
            let mut before = None;
            for entry in self.reader.new_entries(replica, replica.status.last_index)? {
                let found = (hash_of(&entry), before);
                let known = self.entries.entry((replica.group, entry.at)).or_insert(found);
                let other_before = known.1.zip(found.1).is_some_and(|(known, found)| known != found);
                if known.0 != found.0 || other_before {
                    let (group, node, at) = (replica.group, replica.node, entry.at);
                    return Err(format!("group {group}: node-{node} holds another entry at {at:?} than others"));
                }
                known.1 = known.1.or(found.1);
                before = Some(entry.at.term);
            }
        }
        Ok(())
    }
}
