//! Nodes that leave in order.

use casty::{GroupId, NotReady};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, REMOVE_AFTER, eventually, ready};
use casty_tests::load::Load;
use tokio::time::timeout;

use crate::joining::{all_there, fill};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leaves_hands_over_first_and_no_request_fails() {
    let mut cluster = Cluster::start(4).await;
    let accounts = cluster.sharded::<Account>("account").await;
    fill(&accounts[0], 24).await;
    let load = Load::start(&accounts[0], 8);
    let leaver = cluster.leader_of(GroupId::META, 0).await;
    let survivors: Vec<_> = (0..4).filter(|number| *number != leaver).collect();
    // The clients run on node 0: it may be the one that leaves only if they may.
    let (leaver, survivors) = if leaver == 0 { (1, vec![0, 2, 3]) } else { (leaver, survivors) };
    timeout(DEADLINE, cluster.node(leaver).leave()).await.unwrap().unwrap();
    let before = load.written();
    eventually(DEADLINE, "the clients are served on", || load.written() > before + 100).await;
    cluster.crash(leaver);
    cluster.settled_on(&survivors).await;
    for (id, balance) in load.finish().await {
        assert_eq!(accounts[0].ask(id, GetBalance).await, Ok(balance));
    }
    all_there(&accounts[0], 24).await;
    assert!(survivors.iter().all(|number| cluster.held(*number) == 16), "sixteen groups on three nodes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_shrinks_to_its_last_node_and_keeps_everything() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    fill(&accounts[2], 12).await;
    for (leaver, rest) in [(0, &[1, 2][..]), (1, &[2])] {
        let node = cluster.take(leaver);
        timeout(DEADLINE, node.leave()).await.unwrap().unwrap();
        drop(node);
        cluster.settled_on(rest).await;
        all_there(&accounts[2], 12).await;
    }
    timeout(DEADLINE, cluster.node(2).leave()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_are_restarted_one_after_the_other_under_load_and_no_request_fails() {
    let mut cluster = Cluster::start(3).await;
    // The clients are on a node that holds nothing, and stays.
    let observer =
        casty_tests::cluster::config(9, 3).observer().seeds([cluster.node(1).address(), cluster.node(2).address()]);
    let observer = casty_tests::cluster::node(observer.net(cluster.network.of(3))).await;
    ready(&observer).await;
    let accounts = observer.sharded::<Account>("account").start().await.unwrap();
    fill(&accounts, 24).await;
    let observer = cluster.add(observer);
    let load = Load::start(&accounts, 8);
    let mut nodes = vec![0, 1, 2];
    for turn in 0..3 {
        let node = cluster.take(nodes[turn]);
        timeout(DEADLINE, node.leave()).await.unwrap().unwrap();
        drop(node);
        nodes[turn] = cluster.join(turn, 3).await;
        let all = [nodes[0], nodes[1], nodes[2], observer];
        cluster.settled_on_of(&nodes, &all).await;
    }
    for (id, balance) in load.finish().await {
        assert!(balance > 0);
        assert_eq!(accounts.ask(id, GetBalance).await, Ok(balance));
    }
    all_there(&accounts, 24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_for_too_long_is_told_when_it_comes_back() {
    let mut cluster = Cluster::start_with(4, |config| config.remove_after(REMOVE_AFTER)).await;
    let accounts = cluster.sharded::<Account>("account").await;
    fill(&accounts[0], 12).await;
    cluster.isolate(3);
    cluster.settled_on(&[0, 1, 2]).await;
    cluster.network.heal();
    let ended = timeout(DEADLINE, cluster.node(3).ended()).await;
    assert_eq!(ended, Ok(NotReady::Removed));
    cluster.crash(3);
    let again = cluster.join(3, 4).await;
    cluster.settled_on(&[0, 1, 2, again]).await;
    all_there(&accounts[0], 12).await;
}
