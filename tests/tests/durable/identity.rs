//! Who a node is that comes back.

use std::time::Duration;

use casty::prelude::*;
use casty::storage::StoreError;
use casty::{ActorSystem, AskError, LookupError, NotReady, StartError};
use casty_tests::cluster::{Cluster, DEADLINE, Folders, config, eventually, node, ready};
use tokio::time::timeout;

struct Room;

#[actor(name = "durable.Room")]
impl Room {
    #[message]
    fn number(&self) -> u64 {
        7
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_names_of_the_last_process_are_free_and_its_actors_are_gone() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    let _room = cluster.node(1).spawn(Room).named("general").await.unwrap();
    let _other = cluster.node(1).spawn(Room).named("other").await.unwrap();
    let seen: ActorRef<Room> = cluster.node(0).lookup("general").await.unwrap();
    assert_eq!(seen.number().await, Ok(7));
    cluster.crash(1);
    cluster.start_again(&folders, [1]).await;
    // The first actor of the process has no number that one of the last process had.
    let room = cluster.node(1).spawn(Room).named("general").await.unwrap();
    let again: ActorRef<Room> = cluster.node(0).lookup("general").await.unwrap();
    assert_eq!(again.number().await, Ok(7));
    assert_eq!(room.number().await, Ok(7));
    let gone = seen.number().await;
    assert!(matches!(gone, Err(AskError::Stopped | AskError::Unavailable { .. })), "{gone:?}");
    let other = cluster.node(2).lookup::<Room>("other").within(Duration::ZERO).await;
    assert!(matches!(other, Err(LookupError::NotFound { .. })), "{other:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_an_actor_is_told_when_its_node_starts_again() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    let _room = cluster.node(1).spawn(Room).named("general").await.unwrap();
    let seen: ActorRef<Room> = cluster.node(0).lookup("general").await.unwrap();
    let ended = tokio::spawn(async move { seen.stopped().await });
    cluster.crash(1);
    cluster.start_again(&folders, [1]).await;
    timeout(DEADLINE, ended).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_belongs_to_one_process_one_node_and_one_cluster() {
    let folders = Folders::new(1);
    let settings = |number| config(number, 1).data_dir(folders.path(0));
    let first = node(settings(1)).await;
    ready(&first).await;
    let refused = ActorSystem::cluster(settings(1)).await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::Locked { .. })), "{refused:?}");
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    first.shutdown().await;
    let refused = ActorSystem::cluster(settings(2)).await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::OtherNode { .. })), "{refused:?}");
    let refused = ActorSystem::cluster(settings(1).cluster_name("another")).await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::OtherCluster { .. })), "{refused:?}");
    ready(&node(settings(1)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_has_left_or_was_removed_begins_anew_in_its_folder() {
    let folders = Folders::new(4);
    let mut cluster = Cluster::start_in(&folders).await;
    let before = cluster.node(3).me();
    cluster.take(3).leave().await.unwrap();
    cluster.start_again(&folders, [3]).await;
    let second = cluster.node(3).me();
    assert!(second.incarnation > before.incarnation, "{second} after {before}");
    // It comes back when the others have given it up.
    let _room = cluster.node(3).spawn(Room).named("there").await.unwrap();
    cluster.crash(3);
    for number in 0..3 {
        cluster.take(number).shutdown().await;
    }
    let hasty = |number: usize, seed: String| {
        config(number + 1, 4).seeds([seed]).data_dir(folders.path(number)).remove_after(Duration::from_millis(500))
    };
    let mut others = vec![node(hasty(0, "127.0.0.1:1".to_owned())).await];
    for number in 1..3 {
        others.push(node(hasty(number, others[0].address())).await);
    }
    // Names go with their node, when it is removed.
    ready(&others[0]).await;
    let there = others[0].watch_name("there");
    eventually(DEADLINE, "the node is given up", || there.node().is_none()).await;
    let back = node(hasty(3, others[0].address())).await;
    assert_eq!(timeout(DEADLINE, back.ended()).await, Ok(NotReady::Removed));
    back.shutdown().await;
    let third = node(hasty(3, others[0].address())).await;
    ready(&third).await;
    assert!(third.me().incarnation > second.incarnation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_never_found_a_cluster_forgets_that_it_looked() {
    let folders = Folders::new(2);
    let alone = node(config(1, 2).data_dir(folders.path(0))).await;
    let first = alone.me();
    alone.shutdown().await;
    let cluster = Cluster::start_in(&folders).await;
    assert!(cluster.node(0).me().incarnation > first.incarnation);
}
