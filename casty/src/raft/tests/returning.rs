//! A node that comes back to a group without the log that it had.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::cluster::{Cluster, GROUP, Node, key, soon};
use super::recorder::Recorder;
use crate::raft::{RaftSettings, RosterChange};
use crate::storage::{LogStore, MemoryLog};

#[tokio::test(start_paused = true)]
async fn a_node_that_comes_back_to_a_group_remembers_its_vote() {
    let (cluster, leader, _) = Cluster::three(RaftSettings::default()).await;
    let node = &cluster.nodes[cluster.others(leader)[0]];
    let term = |log: &dyn LogStore| log.vote().unwrap().map(|vote| vote.term);
    let voted = term(&*node.log);
    assert!(voted.is_some());
    node.host.close(GROUP).await;
    let log = Arc::new(MemoryLog::new());
    node.host.open(GROUP, log.clone(), Box::new(Recorder::new().0), &[]).await.unwrap();
    assert!(term(&*log) >= voted);
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn who_has_dropped_its_log_elects_nobody_that_lacks_what_was_in_it() {
    let (cluster, leader, _) = Cluster::three(RaftSettings::default()).await;
    let [dropping, late] = cluster.others(leader).try_into().unwrap();
    cluster.isolate(late);
    let group = &cluster.nodes[leader].group;
    for change in
        [RosterChange::Vote([key(leader)].into()), RosterChange::Forget(key(dropping)), RosterChange::Forget(key(late))]
    {
        soon("the group changes", group.change(change)).await.unwrap();
    }
    let node = &cluster.nodes[dropping];
    for _time in 0..2 {
        node.host.close(GROUP).await;
        let log = Arc::new(MemoryLog::new());
        node.host.open(GROUP, log, Box::new(Recorder::new().0), &[]).await.unwrap();
    }
    cluster.isolate(leader);
    // To the one that has heard of no change these two are a majority of three.
    cluster.net.join(key(dropping), key(late));
    let late = &cluster.nodes[late];
    late.group.campaign().await;
    let mut leadership = late.group.leadership();
    let leads = leadership.wait_for(|now| now.leader.is_some_and(|leader| leader.node == late.host.me()));
    assert!(tokio::time::timeout(Duration::from_secs(5), leads).await.is_err(), "the group has two leaders");
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn who_has_dropped_its_log_stands_for_no_election_until_it_has_all_of_it_again() {
    let mut cluster = Cluster::new(1, RaftSettings::default()).await;
    cluster.leader().await;
    cluster.write(0, 0..20).await;
    cluster.add(1, &RaftSettings::default(), &[], |_| {}).await;
    let [alone, both, other]: [BTreeSet<_>; 3] = [[key(0)].into(), [key(0), key(1)].into(), [key(1)].into()];
    let change = async |on: usize, change| soon("a change", cluster.nodes[on].group.change(change)).await.unwrap();
    change(0, RosterChange::Learn(key(1))).await;
    change(0, RosterChange::Vote(both.clone())).await;
    soon("a hand-over", cluster.nodes[0].group.transfer(key(1))).await.unwrap();
    cluster.leader_among(&[1]).await;
    change(1, RosterChange::Vote(other)).await;
    change(1, RosterChange::Forget(key(0))).await;

    // It comes back with a beginning of the log, by which it votes alone.
    let Node { host, log, .. } = &cluster.nodes[0];
    host.close(GROUP).await;
    let (begun, forgotten) = (log.read(0..5, u64::MAX).unwrap(), log.bounds().unwrap().last);
    let dropped = MemoryLog::filled(None, begun, log.vote().unwrap(), forgotten);
    cluster.isolate(0);
    let back = host.open(GROUP, Arc::new(dropped), Box::new(Recorder::new().0), &[]).await.unwrap();
    back.campaign().await;
    let mut leadership = back.leadership();
    let leads = leadership.wait_for(|now| now.leader.is_some_and(|leader| leader.node == key(0)));
    assert!(tokio::time::timeout(Duration::from_secs(5), leads).await.is_err(), "the group has two leaders");

    // With all of it, it is like any other.
    cluster.rejoin(0);
    for step in [RosterChange::Learn(key(0)), RosterChange::Vote(both), RosterChange::Vote(alone)] {
        change(1, step).await;
    }
    let leads = leadership.wait_for(|now| now.ours.is_some());
    soon("it leads", leads).await.unwrap();
    cluster.shutdown().await;
}
