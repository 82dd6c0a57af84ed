//! The founding itself.

use std::net::TcpListener;
use std::time::Duration;

use casty::{ActorSystem, StartError};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, config, eventually, insecure, node, ready};
use tokio::time::timeout;

/// A founding takes two looks of 100 ms: here are many.
const LOOKS: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_three_nodes_found_nothing_and_the_third_completes_them() {
    let mut cluster = Cluster::empty().await;
    let first = node(config(1, 3)).await;
    let seed = first.address();
    cluster.add(first);
    cluster.add(node(config(2, 3).seeds([seed.as_str()])).await);
    eventually(DEADLINE, "the two know each other", || cluster.live().all(|(_, node)| node.members().len() == 2)).await;
    assert!(timeout(LOOKS, cluster.node(0).ready()).await.is_err());
    assert!(cluster.live().all(|(_, node)| node.groups().is_empty() && node.leaders().is_empty() && !node.is_leader()));
    cluster.add(node(config(3, 3).seeds([seed])).await);
    for (_, node) in cluster.live() {
        ready(node).await;
    }
    let accounts = cluster.sharded::<Account>("account").await;
    assert_eq!(accounts[2].ask("alice", Deposit { amount: 1 }).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_before_their_seed_join() {
    let mut cluster = Cluster::empty().await;
    let seed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for number in [2, 3] {
        cluster.add(node(config(number, 3).seeds([seed.as_str()])).await);
    }
    assert!(timeout(Duration::from_millis(300), cluster.node(0).ready()).await.is_err());
    let late = insecure(&seed).node_id("node-1").expected_size(3).seeds([seed.as_str()]);
    cluster.add(node(late).await);
    for (_, node) in cluster.live() {
        ready(node).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_alone_is_a_cluster_if_one_is_expected() {
    let mut cluster = Cluster::empty().await;
    cluster.add(node(config(1, 1)).await);
    ready(cluster.node(0)).await;
    let accounts = cluster.sharded::<Account>("account").await;
    assert_eq!(accounts[0].ask("alice", Deposit { amount: 1 }).await, Ok(1));
    assert_eq!(accounts[0].ask("alice", GetBalance).await, Ok(1));
}

#[tokio::test]
async fn an_address_that_means_every_interface_is_refused_unless_another_is_advertised() {
    let refused = ActorSystem::cluster(insecure("0.0.0.0:0")).await;
    let error = refused.err().unwrap();
    assert!(matches!(error, StartError::Cluster(_)) && error.to_string().contains("advertise"), "{error}");
    let node = node(insecure("0.0.0.0:0").advertise("127.0.0.1:0")).await;
    assert!(node.address().starts_with("127.0.0.1:") && !node.address().ends_with(":0"), "{}", node.address());
}
