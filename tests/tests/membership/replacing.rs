//! Nodes that die, and others that take their places.

use std::time::Duration;

use casty::{AskError, GroupId};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, REMOVE_AFTER, config, eventually, node, ready};

use crate::joining::{all_there, fill};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_only_node_that_was_restarted_is_a_new_node_that_takes_the_places_of_the_old() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    fill(&accounts[0], 24).await;
    // One after the other, until no process is left that was there at the beginning.
    let mut nodes = [0, 1, 2];
    for (turn, node) in nodes.iter_mut().enumerate() {
        cluster.crash(*node);
        *node = cluster.join(turn, 3).await;
        assert_eq!(cluster.held(*node), 12, "it was ready, so the groups count on it");
        let accounts = cluster.node(*node).sharded::<Account>("account").start().await.unwrap();
        all_there(&accounts, 24).await;
    }
    cluster.settled_on(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stays_away_is_replaced_after_the_set_time() {
    let mut cluster = Cluster::start_with(4, |config| config.remove_after(REMOVE_AFTER)).await;
    let accounts = cluster.sharded::<Account>("account").await;
    fill(&accounts[0], 24).await;
    cluster.crash(3);
    cluster.settled_on(&[0, 1, 2]).await;
    assert!((0..3).all(|number| cluster.held(number) == 16), "each group has three replicas again");
    // The group that lost one then loses another, and is served on.
    cluster.crash(2);
    all_there(&accounts[0], 24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_life_of_a_node_that_was_replaced_stays_out() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    assert_eq!(accounts[0].ask("alice", Deposit { amount: 5 }).await, Ok(5));
    let old = 2;
    cluster.isolate(old);
    let new = cluster.add(node(config(old + 1, 3).seeds([cluster.node(0).address()])).await);
    ready(cluster.node(new)).await;
    let members = |number: usize| cluster.node(number).members();
    eventually(DEADLINE, "the others know the new life only", || {
        [0, 1].into_iter().all(|number| members(number).iter().any(|member| member.addr == cluster.node(new).address()))
    })
    .await;
    cluster.network.heal();
    let fresh = cluster.node(new).sharded::<Account>("account").start().await.unwrap();
    assert_eq!(fresh.entity("alice").deposit(Deposit { amount: 1 }).timeout(DEADLINE).await, Ok(6));
    eventually(DEADLINE, "the old life leads nothing", || {
        // It has the name of the new one, so its own word counts.
        cluster
            .node(old)
            .groups()
            .iter()
            .all(|(_, status)| status.leader.is_none_or(|leader| leader.node != cluster.node(old).me().key))
    })
    .await;
    // Whatever it is asked, it may not answer with what it knew.
    for _ in 0..3 {
        let stale = accounts[old].entity("alice").balance(GetBalance).timeout(Duration::from_secs(1)).await;
        assert!(
            matches!(stale, Err(AskError::Unavailable { .. } | AskError::Unknown { .. } | AskError::Timeout { .. })),
            "{stale:?}"
        );
    }
    assert!(!cluster.node(old).is_leader());
    assert!(cluster.leader_now(GroupId::META, 0).is_some());
    assert_eq!(fresh.ask("alice", GetBalance).await, Ok(6));
}
