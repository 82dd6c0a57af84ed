//! Nodes that come when the cluster exists.

use std::time::Duration;

use casty::{AskError, GroupId};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, config, eventually, node, ready};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_late_calls_entities_and_holds_none() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    assert_eq!(accounts[0].ask("alice", Deposit { amount: 5 }).await, Ok(5));
    let late = cluster.add(node(config(4, 3).seeds([cluster.node(1).address()])).await);
    ready(cluster.node(late)).await;
    assert!(cluster.node(late).groups().is_empty());
    let accounts = cluster.node(late).sharded::<Account>("account").start().await.unwrap();
    assert_eq!(accounts.ask("alice", Deposit { amount: 5 }).await, Ok(10));
    assert_eq!(accounts.ask("alice", GetBalance).await, Ok(10));
    // It finds the new leader like any other.
    let leader = cluster.leader_of(accounts.group_of("alice"), late).await;
    cluster.crash(leader);
    let alice = accounts.entity("alice");
    assert_eq!(alice.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await, Ok(11));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_only_node_that_was_restarted_is_a_new_node_that_calls_entities() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    for user in 0..24 {
        assert_eq!(accounts[0].ask(format!("user-{user}"), Deposit { amount: 5 }).await, Ok(5));
    }
    let crashed = 2;
    cluster.crash(crashed);
    let again = cluster.add(node(config(crashed + 1, 3).seeds([cluster.node(0).address()])).await);
    ready(cluster.node(again)).await;
    assert!(cluster.node(again).groups().is_empty(), "it votes in nothing: it has forgotten its votes");
    let accounts = cluster.node(again).sharded::<Account>("account").start().await.unwrap();
    for user in 0..24 {
        let account = accounts.entity(format!("user-{user}"));
        assert_eq!(account.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await, Ok(6));
    }
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
        let me = cluster.node(old).id();
        !cluster.node(old).leaders().iter().any(|(_, leader)| leader.as_ref() == Some(&me))
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
    assert!(cluster.leader_now(GroupId::META, 0).is_none_or(|leader| leader != old));
    assert_eq!(fresh.ask("alice", GetBalance).await, Ok(6));
}
