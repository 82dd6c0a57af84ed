//! What is committed stays.

use std::collections::BTreeMap;

use super::Invariant;
use super::entries::{Reader, hash_of};
use crate::testkit::sim::{Cluster, GroupOf, Replica};

/// Once an entry is committed, every replica that has committed so far holds this very entry in its place (Ongaro and
/// Ousterhout 2014, figure 3, "leader completeness" and "state machine safety").
#[derive(Default)]
pub(super) struct CommittedStays {
    reader: Reader,
    entries: BTreeMap<(GroupOf, u64), (u64, u64)>,
}

impl Invariant for CommittedStays {
    fn name(&self) -> &str {
        "a committed entry never changes"
    }

    fn check(&mut self, cluster: &Cluster<'_>) -> Result<(), String> {
        for replica in cluster.replicas().iter().filter(|replica| !awaits_a_snapshot(replica)) {
            for entry in self.reader.new_entries(replica, replica.status.committed)? {
                let found = (entry.at.term, hash_of(&entry));
                let known = *self.entries.entry((replica.group, entry.at.index)).or_insert(found);
                if known != found {
                    let (group, node, index) = (replica.group, replica.node, entry.at.index);
                    return Err(format!(
                        "group {group}: node-{node} has committed another entry {index}, of term {}, than one of term {}",
                        found.0, known.0
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Whether a replica has committed more than its log has: a snapshot is being installed. Until it is, the log keeps what a leader
/// of long ago wrote into it, and nobody reads that any more (seed 86887).
fn awaits_a_snapshot(replica: &Replica) -> bool {
    let last = replica.log.as_ref().and_then(|log| log.bounds().ok()?.last);
    last.is_some_and(|last| Some(last.index) < replica.status.committed)
}
