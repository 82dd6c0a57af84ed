//! What the meta group should decide next, from what it has decided and from who is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::base::{GroupId, NodeKey};
use crate::cluster::{Member, Role};
use crate::node::meta::{Command, Stay, Topology};
use crate::sharding::allocation::{Layout, Standing, rebalance};

/// Who is there, as the leader of the meta group sees it.
pub(super) struct Sight {
    /// Those that are alive and say that they belong to this cluster.
    pub(super) members: Vec<Member>,
    /// All that are alive.
    pub(super) in_sight: BTreeSet<NodeKey>,
    /// Nodes of the cluster that are not, and since when.
    pub(super) absent: BTreeMap<NodeKey, Instant>,
    pub(super) now: Instant,
}

/// The next decisions: who belongs to the cluster, and then where the groups are to be.
pub(super) fn plan(topology: &Topology, sight: &Sight, remove_after: Duration) -> Vec<Command> {
    let commands = membership(topology, sight, remove_after);
    if commands.is_empty() { placements(topology, sight) } else { commands }
}

fn membership(topology: &Topology, sight: &Sight, remove_after: Duration) -> Vec<Command> {
    let new = |member: &&Member| {
        !topology.nodes().contains_key(&member.key) && !topology.is_over(&member.id, member.incarnation)
    };
    let mut commands: Vec<_> = sight.members.iter().filter(new).cloned().map(Command::Admit).collect();
    for (node, entry) in topology.nodes() {
        let node = *node;
        let absent = sight.absent.get(&node).map(|since| sight.now.duration_since(*since));
        commands.extend(match entry.stay {
            Stay::Stays if absent.is_some_and(|absent| absent >= remove_after) => {
                Some(Command::Away { node, away: true })
            }
            Stay::Away if sight.in_sight.contains(&node) => Some(Command::Away { node, away: false }),
            Stay::Away | Stay::Leaves if !topology.needs(node) => Some(Command::Remove { node }),
            Stay::Stays | Stay::Away | Stay::Leaves => None,
        });
    }
    commands
}

fn placements(topology: &Topology, sight: &Sight) -> Vec<Command> {
    let holds = topology.nodes().iter().filter(|(_, entry)| entry.role == Role::Replica);
    let standing = |node: NodeKey, stay: Stay| match stay {
        Stay::Away | Stay::Leaves => Standing::Going,
        Stay::Stays if sight.in_sight.contains(&node) => Standing::Able,
        Stay::Stays => Standing::Absent,
    };
    let nodes = holds.map(|(node, entry)| (*node, standing(*node, entry.stay))).collect();
    let machines = topology.machines().collect();
    let begun = topology.placements().iter().filter(|(group, _)| topology.has_begun(**group));
    let placements = begun.map(|(group, placement)| (*group, placement.clone())).collect();
    let replicas = topology.replicas();
    let changes = rebalance(&Layout { placements: &placements, nodes: &nodes, replicas, machines: &machines });
    let epoch = |group: &GroupId| topology.placements().get(group).map_or(0, |placement| placement.epoch);
    let place = |(group, replicas)| Command::Place { epoch: epoch(&group), group, replicas };
    changes.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::founding::{Charter, Founder, Terms};

    const REMOVE_AFTER: Duration = Duration::from_secs(20);

    fn member(id: &str, incarnation: u64) -> Member {
        Member::new(id.into(), incarnation, "h:1", Role::Replica)
    }

    fn founded() -> Topology {
        let founders = ["a", "b", "c"].map(|id| Founder { id: id.into(), incarnation: 1 });
        Topology::founded(&Charter::new(founders.to_vec(), Terms { size: 3, groups: 1, replicas: 3 }))
    }

    fn sight(members: &[Member], absent: &[(&Member, Duration)]) -> Sight {
        let now = Instant::now() + Duration::from_secs(3_600);
        Sight {
            members: members.to_vec(),
            in_sight: members.iter().map(|member| member.key).collect(),
            absent: absent.iter().map(|(member, since)| (member.key, now - *since)).collect(),
            now,
        }
    }

    fn all() -> Vec<Member> {
        ["a", "b", "c"].map(|id| member(id, 1)).to_vec()
    }

    #[test]
    fn a_cluster_that_is_well_is_left_alone() {
        assert_eq!(plan(&founded(), &sight(&all(), &[]), REMOVE_AFTER), []);
    }

    #[test]
    fn whoever_comes_is_admitted_before_anything_moves() {
        let mut members = all();
        members.push(member("d", 1));
        assert_eq!(plan(&founded(), &sight(&members, &[]), REMOVE_AFTER), [Command::Admit(member("d", 1))]);
    }

    #[test]
    fn a_node_is_given_up_after_the_set_time_and_not_before() {
        let (c, there) = (member("c", 1), &all()[..2]);
        let at = |absent| plan(&founded(), &sight(there, &[(&c, absent)]), REMOVE_AFTER);
        assert_eq!(at(REMOVE_AFTER - Duration::from_millis(1)), []);
        assert_eq!(at(REMOVE_AFTER), [Command::Away { node: c.key, away: true }]);
    }

    #[test]
    fn a_node_that_comes_back_before_it_was_replaced_stays() {
        let (mut topology, c) = (founded(), member("c", 1));
        topology.apply(Command::Away { node: c.key, away: true });
        let back = plan(&topology, &sight(&all(), &[]), REMOVE_AFTER);
        assert_eq!(back, [Command::Away { node: c.key, away: false }]);
        let still_away = plan(&topology, &sight(&all()[..2], &[(&c, REMOVE_AFTER)]), REMOVE_AFTER);
        assert!(!still_away.is_empty(), "its groups go elsewhere");
        assert!(still_away.iter().all(|command| matches!(command, Command::Place { .. })), "{still_away:?}");
    }
}
