//! When and whom to kill, and the failover figure.

use std::time::Duration;

use casty::base::{GroupId, NodeId};
use casty_examples::flights::kills::{Kill, Moment, busiest, moments};
use tokio::time::Instant;

fn leaders(names: &[&str]) -> Vec<(GroupId, Option<NodeId>)> {
    let known = |name: &str| (!name.is_empty()).then(|| NodeId::from(name));
    (1..).zip(names).map(|(group, name)| (GroupId(group), known(name))).collect()
}

#[test]
fn one_kill_stands_in_the_middle_and_several_are_spread_evenly() {
    assert_eq!(moments(1000, 0), []);
    assert_eq!(moments(1000, 1), [Moment { from: 500, latest: 750 }]);
    assert_eq!(moments(900, 2), [Moment { from: 300, latest: 450 }, Moment { from: 600, latest: 750 }]);
}

#[test]
fn the_living_node_that_leads_the_most_groups_is_chosen() {
    let living = ["node-1", "node-2"].map(NodeId::from);
    let (node, groups) = busiest(&leaders(&["node-1", "node-2", "node-2", ""]), &living).unwrap();
    assert_eq!((node.as_str(), groups.into_iter().collect::<Vec<_>>()), ("node-2", vec![GroupId(2), GroupId(3)]));
    let (node, _) = busiest(&leaders(&["gone", "gone", "node-2", "node-1"]), &living).unwrap();
    assert_eq!(node.as_str(), "node-1", "of equals the first by name");
    assert_eq!(busiest(&leaders(&["gone", ""]), &living), None);
}

#[test]
fn the_failover_is_the_slowest_group_s_first_answer_to_a_write_issued_after_the_kill() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let groups = [GroupId(1), GroupId(2), GroupId(3)].into();
    let mut kill = Kill::new("node-1".into(), groups, 128, at(100));
    kill.answered(GroupId(1), at(90), at(110)); // issued before the kill
    kill.answered(GroupId(9), at(120), at(2000)); // not a group of the node
    assert_eq!((kill.failover(), kill.unmeasured()), (None, 3));
    kill.answered(GroupId(1), at(110), at(600));
    kill.answered(GroupId(1), at(110), at(900)); // not the first answer
    kill.answered(GroupId(2), at(100), at(400));
    assert_eq!((kill.failover(), kill.unmeasured()), (Some(Duration::from_millis(500)), 1));
}
