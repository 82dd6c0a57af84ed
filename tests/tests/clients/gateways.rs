//! What happens to a client when the node that serves it is lost.

use std::future::IntoFuture;
use std::sync::Arc;

use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::support::{CLIENT, Counter, Room, client, gateway};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_counts_once_though_the_node_that_serves_the_client_dies() {
    let mut cluster = Cluster::start(5).await;
    cluster.sharded::<Counter>("counter").await;
    let client = client(&cluster).await;
    let counters = client.sharded::<Counter>("counter").await.unwrap();
    let first = gateway(&cluster, &client).unwrap();
    let callers: Vec<_> = (0..16)
        .map(|n| {
            let counter = counters.entity(format!("c-{n}"));
            tokio::spawn(async move {
                for expected in 1..=400 {
                    assert_eq!(counter.next().timeout(DEADLINE).await, Ok(expected));
                }
                counter
            })
        })
        .collect();
    let some = counters.entity("c-0");
    while some.last().await.unwrap() < 40 {}
    cluster.crash(first);
    eventually(DEADLINE, "another node serves the client", || gateway(&cluster, &client).is_some()).await;
    for counter in join_all(callers).await {
        assert_eq!(counter.unwrap().last().await, Ok(400));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_leaves_a_node_that_is_cut_off_from_the_others() {
    let cluster = Cluster::start(3).await;
    cluster.sharded::<Counter>("counter").await;
    let client = client(&cluster).await;
    let counter = client.sharded::<Counter>("counter").await.unwrap().entity("c");
    assert_eq!(counter.next().await, Ok(1));
    let first = gateway(&cluster, &client).unwrap();
    cluster.tear_off(first);
    let served_by_another = || gateway(&cluster, &client).is_some_and(|now| now != first);
    eventually(DEADLINE, "a node with a majority serves the client", served_by_another).await;
    assert_eq!(counter.next().await, Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_off_from_its_node_goes_to_another() {
    let cluster = Cluster::start(3).await;
    cluster.sharded::<Counter>("counter").await;
    let client = client(&cluster).await;
    let counter = client.sharded::<Counter>("counter").await.unwrap().entity("c");
    let first = gateway(&cluster, &client).unwrap();
    let address = cluster.node(first).address();
    cluster.network.cut(CLIENT, &address);
    let calls = async {
        for expected in 1..=100 {
            assert_eq!(counter.next().timeout(DEADLINE).await, Ok(expected));
        }
    };
    timeout(DEADLINE, calls).await.unwrap();
    assert_ne!(gateway(&cluster, &client), Some(first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_of_an_actor_by_way_of_a_lost_node_is_unknown_and_the_next_ask_goes_another_way() {
    let mut cluster = Cluster::start(3).await;
    let client = client(&cluster).await;
    let first = gateway(&cluster, &client).unwrap();
    let there = cluster.other_than(&[first]);
    let room = Room::default();
    let ponders: Arc<Notify> = room.ponders.clone();
    let _rooms = (
        cluster.node(there).spawn(room).named("slow").await.unwrap(),
        cluster.node(there).spawn(Room::default()).named("fast").await.unwrap(),
    );
    let (slow, fast) = (client.lookup::<Room>("slow").await.unwrap(), client.lookup::<Room>("fast").await.unwrap());
    assert_eq!(fast.half(2).await, Ok(1));
    let pondering = tokio::spawn({
        let slow = slow.clone();
        async move { slow.ponder().await }
    });
    // It has left, and cannot end by itself.
    timeout(DEADLINE, ponders.notified()).await.unwrap();
    cluster.crash(first);
    let lost = timeout(DEADLINE, pondering).await.unwrap().unwrap();
    assert!(matches!(lost, Err(AskError::Unknown { .. })), "{lost:?}");
    let again = async { while fast.half(2).await != Ok(1) {} };
    timeout(DEADLINE, again).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_that_waits_is_made_again_when_the_node_that_serves_the_client_dies() {
    let mut cluster = Cluster::start(3).await;
    let client = client(&cluster).await;
    let first = gateway(&cluster, &client).unwrap();
    let waiting = tokio::spawn(client.lookup::<Room>("later").within(DEADLINE).into_future());
    let also = tokio::spawn(client.sharded::<Counter>("later too").within(DEADLINE).into_future());
    cluster.crash(first);
    eventually(DEADLINE, "another node serves the client", || gateway(&cluster, &client).is_some()).await;
    let there = cluster.other_than(&[first]);
    let _room = cluster.node(there).spawn(Room::default()).named("later").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().half(2).await, Ok(1));
    cluster.sharded::<Counter>("later too").await;
    assert_eq!(also.await.unwrap().unwrap().entity("c").next().await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_to_an_entity_fails_when_the_node_that_serves_the_client_leaves() {
    let mut cluster = Cluster::start(4).await;
    cluster.sharded::<Counter>("counter").await;
    let client = client(&cluster).await;
    let counters = client.sharded::<Counter>("counter").await.unwrap();
    let first = gateway(&cluster, &client).unwrap();
    let counter = counters.entity("c");
    let calls = tokio::spawn(async move {
        for expected in 1..=1_000 {
            assert_eq!(counter.next().timeout(DEADLINE).await, Ok(expected));
        }
    });
    let node = cluster.take(first);
    timeout(DEADLINE, node.leave()).await.unwrap().unwrap();
    drop(node);
    calls.await.unwrap();
    eventually(DEADLINE, "another node serves the client", || gateway(&cluster, &client).is_some()).await;
}
