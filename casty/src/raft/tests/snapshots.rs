//! Logs are compacted, and who needs what is gone gets a snapshot.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::cluster::{Cluster, GROUP, command, key, soon};
use super::recorder::Recorder;
use crate::raft::{RaftError, RaftSettings, RosterChange};

pub(super) fn compacting() -> RaftSettings {
    RaftSettings { snapshot_entries: 50, log_entries_kept: 10, ..RaftSettings::default() }
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_was_away_gets_a_snapshot_and_then_further_entries() {
    let (cluster, leader, _) = Cluster::three(compacting()).await;
    let away = cluster.others(leader)[0];
    cluster.isolate(away);
    // More than two chunks of a snapshot.
    for number in 0..300u64 {
        cluster.nodes[leader].group.write(Bytes::from(vec![number as u8; 5_000])).await.unwrap();
        // Entries that are on their way to a follower stay until the attempt to send them has failed.
        tokio::time::advance(Duration::from_millis(3)).await;
    }
    let purged = cluster.nodes[leader].group.status().purged.unwrap();
    assert!(purged > 200, "the log was compacted up to {purged}");
    cluster.rejoin(away);
    cluster.nodes[away].record.reached(300).await;
    assert_eq!(cluster.nodes[away].record.restored(), 1, "it came as a snapshot");
    cluster.write(leader, 0..20).await;
    for node in &cluster.nodes {
        node.record.reached(320).await;
        assert_eq!(node.record.all(), cluster.nodes[leader].record.all());
        let (log, whole) = (&node.log, &cluster.nodes[leader].log);
        assert_eq!(log.bounds().unwrap().last, whole.bounds().unwrap().last, "the indexes go on");
    }
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_is_compacted_by_its_bytes() {
    let settings = RaftSettings { snapshot_log_bytes: 1 << 20, log_entries_kept: 10, ..RaftSettings::default() };
    let (cluster, leader, _) = Cluster::three(settings).await;
    for _ in 0..100 {
        cluster.nodes[leader].group.write(Bytes::from(vec![1; 64 << 10])).await.unwrap();
    }
    cluster.write(leader, 0..10).await;
    for node in &cluster.nodes {
        node.record.reached(110).await;
        assert!(node.group.status().purged.is_some_and(|purged| purged > 50), "{:?}", node.group.status());
    }
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_with_a_compacted_log_does_not_vote_for_an_empty_one() {
    let cluster = Cluster::new(3, compacting()).await;
    cluster.isolate(2);
    let (leader, _) = cluster.leader_among(&[0, 1]).await;
    cluster.write(leader, 0..200).await;
    let heir = 1 - leader;
    cluster.nodes[heir].record.reached(200).await;
    // Only the heir, with its compacted log, and the node that has nothing are left.
    cluster.isolate(leader);
    cluster.net.join(key(heir), key(2));
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        assert!(cluster.nodes[2].group.engine().elect().await);
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(cluster.nodes[2].group.leadership().borrow().ours, None);
    }
    let (elected, _) = cluster.leader_among(&[heir, 2]).await;
    assert_eq!(elected, heir);
    cluster.nodes[2].record.reached(200).await;
    assert_eq!(cluster.nodes[2].record.commands(), (0..200).map(command).collect::<Vec<_>>());
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_machine_refuses_a_snapshot_stops_with_an_error() {
    let cluster = Cluster::new_with(3, compacting(), |n, machine| machine.refuse = n == 2).await;
    cluster.isolate(2);
    let (leader, id) = cluster.leader_among(&[0, 1]).await;
    cluster.write(leader, 0..200).await;
    cluster.rejoin(2);
    let broken = &cluster.nodes[2];
    let mut leadership = broken.group.leadership();
    assert!(soon("the group stops", leadership.wait_for(|_| false)).await.is_err());
    let why = broken.group.failure().unwrap().to_string();
    assert!(why.contains("this machine takes no snapshots"), "{why}");
    cluster.write(leader, 200..210).await;
    assert_eq!(cluster.leader_among(&[0, 1]).await.1, id, "the others go on");
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_compacted_log_is_not_opened_without_its_state() {
    let (cluster, leader, _) = Cluster::three(compacting()).await;
    cluster.write(leader, 0..200).await;
    let log = cluster.nodes[leader].log.clone();
    let host = &cluster.nodes[leader].host;
    host.close(GROUP).await;
    let opened = host.open(GROUP, log, Box::new(Recorder::new().0), &[]).await;
    assert!(matches!(opened, Err(RaftError::StateMissing { .. })));
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_voter_is_replaced_by_a_new_node_that_gets_the_whole_state() {
    let (mut cluster, leader, _) = Cluster::three(compacting()).await;
    cluster.write(leader, 0..200).await;
    let lost = cluster.others(leader)[0];
    cluster.isolate(lost);
    cluster.add(3, &compacting(), &[], |_| {}).await;
    let group = &cluster.nodes[leader].group;
    let voters = cluster.others(lost).into_iter().map(key).collect();
    for change in [RosterChange::Learn(key(3)), RosterChange::Vote(voters), RosterChange::Forget(key(lost))] {
        soon("the group changes", group.change(change)).await.unwrap();
    }
    let roster = group.roster();
    assert!(roster.committed && !roster.joint && roster.has(key(3)) && !roster.has(key(lost)), "{roster:?}");
    cluster.write(leader, 200..220).await;
    cluster.nodes[3].record.reached(220).await;
    assert_eq!(cluster.nodes[3].record.commands(), (0..220).map(command).collect::<Vec<_>>());
    cluster.shutdown().await;
}
