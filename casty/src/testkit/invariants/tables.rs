//! Replicas agree on their state.

use std::collections::BTreeMap;

use super::Invariant;
use crate::base::stable_hash_parts;
use crate::testkit::sim::{Cluster, GroupOf};

/// Replicas that have applied the same number of entries hold the same rows and the same answers.
#[derive(Default)]
pub(super) struct TablesAgree {
    hashes: BTreeMap<(GroupOf, u64), u64>,
    seen: BTreeMap<(usize, u64, GroupOf), u64>,
}

impl Invariant for TablesAgree {
    fn name(&self) -> &str {
        "tables are equal at the same index"
    }

    fn check(&mut self, cluster: &Cluster<'_>) -> Result<(), String> {
        for replica in cluster.replicas() {
            let Some(table) = &replica.table else { continue };
            let table = table.lock();
            let applied = table.applied();
            let place = (replica.node, replica.life, replica.group);
            if self.seen.insert(place, applied) == Some(applied) {
                continue;
            }
            let (head, rows) = table.whole().map_err(|error| format!("a table cannot be read: {error}"))?;
            let (group, node, hash) = (replica.group, replica.node, stable_hash_parts(&[&head, rows.bytes()]));
            if *self.hashes.entry((group, applied)).or_insert(hash) != hash {
                return Err(format!(
                    "group {group}: the table of node-{node} differs from another's at index {applied}"
                ));
            }
        }
        Ok(())
    }
}
