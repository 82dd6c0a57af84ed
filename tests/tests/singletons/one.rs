//! One instance, wherever it is called from and whatever becomes of its node.

use casty::{GroupId, Node, ShardingError};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::clerk::{Clerk, Next, Visitor, starts};

/// The group of a singleton, and the node that it runs on.
async fn home(cluster: &Cluster, name: &str, seen_by: usize) -> (GroupId, usize) {
    let sharded = cluster.node(seen_by).sharded::<Clerk>(name).shards(1).start().await;
    assert!(matches!(sharded, Err(ShardingError::Conflict { .. })), "a singleton is no entity type: {sharded:?}");
    let slot = casty::sharding::slot_of(name, 0);
    let groups = cluster.node(seen_by).leaders().len() as u32;
    let group = GroupId(1 + (slot % groups) as u16);
    (group, cluster.leader_of(group, seen_by).await)
}

async fn clerk(node: &Node, name: &str) -> casty::EntityRef<Clerk> {
    node.singleton::<Clerk>(name).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_singleton_that_all_nodes_start_has_one_instance_and_runs_uncalled() {
    let cluster = Cluster::start(3).await;
    let clerks = join_all((0..3).map(|node| clerk(cluster.node(node), "clerk-a"))).await;
    eventually(DEADLINE, "it runs", || starts("clerk-a") > 0).await;
    let numbers = join_all((0..90).map(|call| {
        let clerk = clerks[call % 3].clone();
        async move { clerk.next(Next).await.unwrap() }
    }))
    .await;
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=90).collect::<Vec<_>>(), "no number is given twice");
    assert_eq!(starts("clerk-a"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_singleton_is_taken_over_with_its_state_when_its_node_dies() {
    let mut cluster = Cluster::start(3).await;
    let clerks = join_all((0..3).map(|node| clerk(cluster.node(node), "clerk-b"))).await;
    for number in 1..=5 {
        assert_eq!(clerks[number as usize % 3].next(Next).await, Ok(number));
    }
    let (_, home) = home(&cluster, "clerk-b", 0).await;
    let before = starts("clerk-b");
    cluster.crash(home);
    eventually(DEADLINE, "another node runs it, though nobody calls it", || starts("clerk-b") > before).await;
    let survivor = cluster.other_than(&[home]);
    assert_eq!(clerks[survivor].next(Next).timeout(DEADLINE).await, Ok(6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_singleton_is_handed_over_when_its_node_leaves_and_no_call_fails() {
    let mut cluster = Cluster::start(4).await;
    let caller = clerk(cluster.node(0), "clerk-c").await;
    assert_eq!(caller.next(Next).await, Ok(1));
    let (group, mut at) = home(&cluster, "clerk-c", 0).await;
    if at == 0 {
        // The caller's own node stays: it hands the group over by losing its place to the others.
        at = cluster.other_than(&[0]);
    }
    let calls = tokio::spawn(async move {
        for number in 2..=2_000 {
            assert_eq!(caller.next(Next).await, Ok(number));
        }
    });
    let node = cluster.take(at);
    timeout(DEADLINE, node.leave()).await.unwrap().unwrap();
    drop(node);
    calls.await.unwrap();
    assert_ne!(cluster.leader_of(group, 0).await, at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_singleton_without_state_begins_anew_where_it_is_taken_over() {
    let mut cluster = Cluster::start(3).await;
    let cluster_now = &cluster;
    let visitors = join_all(
        (0..3).map(|node| async move { cluster_now.node(node).singleton::<Visitor>("visitor").start().await.unwrap() }),
    )
    .await;
    for number in 1..=3 {
        assert_eq!(visitors[0].next(Next).await, Ok(number));
    }
    let (_, home) = home(&cluster, "visitor", 0).await;
    cluster.crash(home);
    let survivor = cluster.other_than(&[home]);
    assert_eq!(visitors[survivor].next(Next).timeout(DEADLINE).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_an_entity_type_is_no_singleton() {
    let cluster = Cluster::start(3).await;
    cluster.node(0).sharded::<Clerk>("clerk-d").shards(1).start().await.unwrap();
    let error = cluster.node(1).singleton::<Clerk>("clerk-d").start().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("1 shards") && text.contains("as a singleton"), "{text}");
}
