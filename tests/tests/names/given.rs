//! Who gets a name, and when it is free again.

use std::time::Duration;

use casty::{ActorRef, SpawnError};
use casty_tests::cluster::{Cluster, DEADLINE, REMOVE_AFTER, eventually};
use futures_util::FutureExt;
use tokio::time::timeout;

use crate::room::{Private, Room};

async fn spawn(cluster: &Cluster, node: usize, name: &str) -> Result<ActorRef<Room>, SpawnError> {
    cluster.node(node).spawn(Room(format!("of node {node}"))).named(name).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_given_once_and_the_error_says_where_its_actor_lives() {
    let cluster = Cluster::start(3).await;
    let _room = spawn(&cluster, 0, "general").await.unwrap();
    for (node, expected) in [(0, "NameTaken"), (1, "NameTakenElsewhere"), (2, "NameTakenElsewhere")] {
        let error = spawn(&cluster, node, "general").await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
        assert!(node == 0 || error.to_string().contains("node node-1"), "{error}");
    }
    // Actors that stay on their node have their names there.
    for node in 0..3 {
        let _private = cluster.node(node).spawn(Private).named("private").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_want_a_name_at_once_one_gets_it() {
    let cluster = Cluster::start(3).await;
    let all = (0..30).map(|n| spawn(&cluster, n % 3, "wanted"));
    let got = futures_util::future::join_all(all).await;
    assert_eq!(got.iter().filter(|one| one.is_ok()).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_free_when_its_actor_has_stopped_and_its_watchers_are_told() {
    let cluster = Cluster::start(3).await;
    let room = spawn(&cluster, 0, "general").await.unwrap();
    let mut watch = cluster.node(2).watch_name("general");
    if watch.node().is_none() {
        assert_eq!(timeout(DEADLINE, watch.changed()).await.unwrap(), Some("node-1".into()));
    }
    room.stop();
    assert_eq!(timeout(DEADLINE, watch.changed()).await.unwrap(), None);
    let _again = spawn(&cluster, 1, "general").await.unwrap();
    assert_eq!(timeout(DEADLINE, watch.changed()).await.unwrap(), Some("node-2".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_names_of_a_node_are_free_when_it_is_removed() {
    let mut cluster = Cluster::start_with(3, |config| config.remove_after(REMOVE_AFTER)).await;
    let room = spawn(&cluster, 2, "general").await.unwrap();
    let mut watch = cluster.node(0).watch_name("general");
    if watch.node().is_none() {
        timeout(DEADLINE, watch.changed()).await.unwrap();
    }
    drop(room);
    cluster.crash(2);
    assert_eq!(timeout(DEADLINE, watch.changed()).await.unwrap(), None);
    let _again = spawn(&cluster, 1, "general").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_no_name_is_given() {
    let mut cluster = Cluster::start_with(3, |config| config.ask_timeout(Duration::from_millis(500))).await;
    cluster.crash(1);
    cluster.crash(2);
    let refused = spawn(&cluster, 0, "general").await;
    assert!(matches!(refused, Err(SpawnError::NameUnavailable { .. })), "{refused:?}");
    // It lives on no node, not even here.
    assert!(cluster.node(0).lookup::<Room>("general").within(Duration::ZERO).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawn_that_is_given_up_leaves_no_name_behind() {
    let cluster = Cluster::start(3).await;
    for _ in 0..20 {
        let mut spawning = Box::pin(spawn(&cluster, 0, "general"));
        assert!((&mut spawning).now_or_never().is_none(), "the cluster has to agree");
    }
    let mut rooms = Vec::new();
    let begun = tokio::time::Instant::now();
    while rooms.is_empty() && begun.elapsed() < DEADLINE {
        rooms.extend(spawn(&cluster, 1, "general").await);
    }
    assert_eq!(rooms.len(), 1, "the name is free in the end");
    eventually(DEADLINE, "every node knows", || {
        (0..3).all(|node| cluster.node(node).watch_name("general").node() == Some("node-2".into()))
    })
    .await;
}
