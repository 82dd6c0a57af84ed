//! One leader a term.

use std::collections::BTreeMap;

use super::Invariant;
use crate::base::{GroupId, NodeKey};
use crate::testkit::sim::Cluster;

/// In one term of a group all nodes that know a leader know the same (Ongaro and Ousterhout 2014, figure 3, "election
/// safety").
#[derive(Default)]
pub(super) struct OneLeaderATerm {
    leaders: BTreeMap<(GroupId, u64), NodeKey>,
}

impl Invariant for OneLeaderATerm {
    fn name(&self) -> &str {
        "a term has one leader"
    }

    fn check(&mut self, cluster: &Cluster<'_>) -> Result<(), String> {
        for replica in cluster.replicas() {
            let Some(leader) = replica.status.leader else { continue };
            let known = *self.leaders.entry((replica.group, leader.term)).or_insert(leader.node);
            if known != leader.node {
                let (group, node, term) = (replica.group, replica.node, leader.term);
                return Err(format!(
                    "group {group}, term {term}: node-{node} follows {}, another {known}",
                    leader.node
                ));
            }
        }
        Ok(())
    }
}
