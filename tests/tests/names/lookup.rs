//! Looking actors up.

use std::time::Duration;

use std::future::IntoFuture;

use casty::actor::LookupError;
use casty_tests::cluster::{Cluster, DEADLINE};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::room::{Cellar, Private, Room};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_is_found_by_its_name_from_every_node_and_called_as_if_it_were_there() {
    let cluster = Cluster::start(3).await;
    let _room = cluster.node(1).spawn(Room("weather".to_owned())).named("general").await.unwrap();
    for node in 0..3 {
        let found = cluster.node(node).lookup::<Room>("general").await.unwrap();
        assert_eq!(found.topic().await, Ok("weather".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_waits_for_a_name_that_comes_later_and_many_at_once_all_succeed() {
    let cluster = Cluster::start(3).await;
    let missing = cluster.node(0).lookup::<Room>("general").within(Duration::ZERO).await;
    assert!(matches!(missing, Err(LookupError::NotFound { .. })), "{missing:?}");
    let searching =
        join_all((0..30).map(|n| cluster.node(n % 3).lookup::<Room>("general").within(DEADLINE).into_future()));
    let spawning = async {
        tokio::task::yield_now().await;
        cluster.node(2).spawn(Room("late".to_owned())).named("general").await.unwrap()
    };
    let (found, _room) = timeout(DEADLINE, async { tokio::join!(searching, spawning) }).await.unwrap();
    for room in found {
        assert_eq!(room.unwrap().topic().await, Ok("late".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_of_another_type_is_not_what_was_looked_for() {
    let cluster = Cluster::start(3).await;
    let _cellar = cluster.node(0).spawn(Cellar).named("below").await.unwrap();
    for node in 0..3 {
        let wrong = cluster.node(node).lookup::<Room>("below").await.unwrap_err();
        let text = wrong.to_string();
        assert!(matches!(wrong, LookupError::WrongType { .. }) && text.contains("names.Cellar"), "{text}");
        assert_eq!(cluster.node(node).lookup::<Cellar>("below").await.unwrap().bottles().await, Ok(7));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_without_a_cluster_and_an_actor_that_stays_keep_their_names_to_themselves() {
    let cluster = Cluster::start(3).await;
    let _private = cluster.node(0).spawn(Private).named("private").await.unwrap();
    let system: &casty::ActorSystem = cluster.node(0);
    assert_eq!(system.lookup::<Private>("private").unwrap().number().await, Ok(1));
    let elsewhere: &casty::ActorSystem = cluster.node(1);
    assert!(elsewhere.lookup::<Private>("private").is_err());
    let alone = casty::ActorSystem::new("alone");
    let _room = alone.spawn(Room("here".to_owned())).named("general").await.unwrap();
    assert_eq!(alone.lookup::<Room>("general").unwrap().topic().await, Ok("here".to_owned()));
}
