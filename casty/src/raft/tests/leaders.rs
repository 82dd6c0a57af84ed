//! Who leads, and for how long.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_all;
use tokio::time::Instant;

use super::cluster::{Cluster, GROUP, Node, command, key, soon};
use super::recorder::Recorder;
use crate::base::GroupId;
use crate::raft::{RaftSettings, RosterChange};
use crate::storage::MemoryLog;

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_stops_saying_so_and_the_majority_elects_another() {
    let (cluster, old, id) = Cluster::three(RaftSettings::default()).await;
    cluster.isolate(old);
    let cut = Instant::now();
    let mut leadership = cluster.nodes[old].group.leadership();
    soon("the old leader withdraws", leadership.wait_for(|now| now.ours.is_none())).await.unwrap();
    assert!(cut.elapsed() < Duration::from_secs(1), "withdrawn after {:?}", cut.elapsed());
    let (new, new_id) = cluster.leader_among(&cluster.others(old)).await;
    assert!(cut.elapsed() < Duration::from_secs(1), "elected after {:?}", cut.elapsed());
    assert!(new_id > id && new != old);
    cluster.rejoin(old);
    let follows = leadership.wait_for(|now| now.leader == Some(new_id) && now.ours.is_none());
    soon("the old leader follows", follows).await.unwrap();
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_says_so_again_when_the_majority_is_back() {
    // Heartbeats that are much shorter than the elections: the old leader is nearly always there first.
    let settings = RaftSettings {
        heartbeat: Duration::from_millis(20),
        election_min: Duration::from_secs(1),
        election_max: Duration::from_secs(2),
        ..RaftSettings::default()
    };
    let (cluster, leader, id) = Cluster::three(settings).await;
    let others = cluster.others(leader);
    cluster.isolate(leader);
    cluster.net.cut(key(others[0]), key(others[1]));
    let mut leadership = cluster.nodes[leader].group.leadership();
    soon("the leader withdraws", leadership.wait_for(|now| now.ours.is_none())).await.unwrap();
    assert_eq!(leadership.borrow().leader, Some(id), "nobody can elect another leader");
    cluster.net.join(key(leader), key(others[0]));
    let (now, again) = cluster.leader_among(&[leader, others[0]]).await;
    assert!((now, again) == (leader, id) || again > id, "the same leadership goes on, or a later one begins");
    cluster.write(now, 0..3).await;
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_within_a_second() {
    let (cluster, old, id) = Cluster::three(RaftSettings::default()).await;
    cluster.write(old, 0..10).await;
    let killed = Instant::now();
    cluster.isolate(old);
    let (new, new_id) = cluster.leader_among(&cluster.others(old)).await;
    cluster.write(new, 10..11).await;
    assert!(new_id.term > id.term);
    assert!(killed.elapsed() < Duration::from_millis(600), "replaced after {:?}", killed.elapsed());
    assert_eq!(cluster.nodes[new].record.commands(), (0..11).map(command).collect::<Vec<_>>());
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_is_not_replaced_because_one_follower_lost_it() {
    let (cluster, leader, id) = Cluster::three(RaftSettings::default()).await;
    let lost = cluster.others(leader)[0];
    cluster.net.cut(key(leader), key(lost));
    let until = Instant::now() + Duration::from_secs(2);
    let mut number = 0;
    while Instant::now() < until {
        cluster.write(leader, number..number + 1).await;
        number += 1;
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    assert_eq!(cluster.leader_among(&[leader]).await.1, id, "a pre-vote guards a healthy leader");
    cluster.net.join(key(leader), key(lost));
    cluster.nodes[lost].record.reached(number as usize).await;
    assert_eq!(cluster.leader_among(&[leader]).await.1, id);
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_leadership_moves_where_it_is_told_to() {
    let (cluster, mut leader, mut id) = Cluster::three(RaftSettings::default()).await;
    for _ in 0..6 {
        let to = (leader + 1) % 3;
        soon("a transfer", cluster.nodes[leader].group.transfer(key(to))).await.unwrap();
        let mut leadership = cluster.nodes[to].group.leadership();
        let said = *soon("the target leads", leadership.wait_for(|now| now.ours.is_some())).await.unwrap();
        assert!(said.ours > Some(id));
        (leader, id) = (to, said.ours.unwrap());
        cluster.write(leader, 0..1).await;
    }
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_group_begins_though_the_first_candidate_dies_with_votes_in_hand() {
    let cluster = Cluster::new(3, RaftSettings::default()).await;
    cluster.net.cut(key(1), key(2));
    let voted = async {
        while cluster.nodes[1].group.status().term == 0 {
            assert!(cluster.nodes[0].group.engine().elect().await);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    };
    soon("a vote is given", voted).await;
    cluster.isolate(0);
    cluster.net.join(key(1), key(2));
    let (leader, _) = cluster.leader_among(&[1, 2]).await;
    cluster.write(leader, 0..3).await;
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_voter_that_campaigns_leads_a_new_group() {
    let cluster = Cluster::new(3, RaftSettings::default()).await;
    cluster.nodes[1].group.campaign().await;
    assert_eq!(cluster.leader().await.0, 1);
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_a_group_that_is_closed_meanwhile_is_told_though_nobody_waits_for_the_close() {
    let (cluster, leader, id) = Cluster::three(RaftSettings::default()).await;
    let Node { host, group, .. } = &cluster.nodes[leader];
    let mut closing = Box::pin(host.close(GROUP));
    assert!(closing.as_mut().now_or_never().is_none());
    drop(closing);
    // The core ends when it runs, and the calls below find it ended.
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(soon("a confirmation", group.confirm(id)).await.is_err());
    assert!(soon("a transfer", group.transfer(key((leader + 1) % 3))).await.is_err());
    assert!(soon("a compaction", group.compact()).await.is_err());
    assert!(soon("a change of the voters", group.change(RosterChange::Learn(key(7)))).await.is_err());
    soon("a campaign", group.campaign()).await;
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn thirteen_groups_of_three_hosts_elect_leaders() {
    let cluster = Cluster::new(3, RaftSettings::default()).await;
    let voters = [key(0), key(1), key(2)];
    let mut groups = Vec::new();
    for id in 2..15 {
        for node in &cluster.nodes {
            let (machine, record) = Recorder::new();
            let log = std::sync::Arc::new(MemoryLog::new());
            let group = node.host.open(GroupId(id), log, Box::new(machine), &voters).await.unwrap();
            groups.push((group, record));
        }
    }
    for replicas in groups.chunks(3) {
        let leads = replicas.iter().map(|(group, _)| {
            let (group, mut leadership) = (group.clone(), group.leadership());
            Box::pin(async move { leadership.wait_for(|now| now.ours.is_some()).await.map(|_| group).unwrap() })
        });
        let leader = soon("a group has a leader", select_all(leads)).await.0;
        soon("a write", leader.write(command(7))).await.unwrap();
        for (_, record) in replicas {
            record.reached(1).await;
        }
    }
    assert_eq!(cluster.nodes[0].host.groups().len(), 14);
    cluster.shutdown().await;
}
