//! Entities and singletons, called by clients.

use std::time::Duration;

use casty::FindError;
use casty_tests::cluster::{Cluster, DEADLINE};
use futures_util::future::join_all;

use crate::support::{Counter, Phone, Room, client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_calls_entities_on_every_node() {
    let cluster = Cluster::start(3).await;
    let near = cluster.sharded::<Counter>("counter").await;
    let client = client(&cluster).await;
    let far = client.sharded::<Counter>("counter").await.unwrap();
    assert_eq!((far.name(), far.shards()), ("counter", 100));
    let ids: Vec<_> = (0..3).flat_map(|node| cluster.ids_led_by(node, &near[0], "c").take(5)).collect();
    assert_eq!(ids.len(), 15, "every node leads groups");
    for id in &ids {
        assert_eq!(far.entity(id.as_str()).next().await, Ok(1));
        assert_eq!(near[1].entity(id.as_str()).next().await, Ok(2), "they call the same entity");
        assert_eq!(far.entity(id.as_str()).last().await, Ok(2));
    }
    let client_of = |id: &String| far.entity(id.as_str());
    let many =
        join_all((0..600).map(|n| async move { n }).map(|n| async { client_of(&ids[n.await % 15]).next().await }));
    assert!(many.await.into_iter().all(|answer| answer.is_ok()));
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_waits_for_what_is_not_started_and_is_told_what_it_is_not() {
    let cluster = Cluster::start(3).await;
    let client = client(&cluster).await;
    let soon = Duration::from_millis(200);
    let missing = client.sharded::<Counter>("later").within(soon).await.unwrap_err();
    assert_eq!(missing, FindError::NotStarted { name: "later".into(), after: soon });
    assert!(missing.to_string().contains("node.sharded(\"later\")"), "{missing}");
    let waiting = client.sharded::<Counter>("later").within(DEADLINE);
    let (found, _) = tokio::join!(waiting, cluster.sharded::<Counter>("later"));
    assert_eq!(found.unwrap().entity("a").next().await, Ok(1));

    let single = cluster.node(0).singleton::<Counter>("single").start().await.unwrap();
    assert_eq!(single.next().await, Ok(1));
    let far = client.singleton::<Counter>("single").await.unwrap();
    assert_eq!(far.next().await, Ok(2));
    let wrong = client.sharded::<Counter>("single").await.unwrap_err();
    let FindError::WrongType { expected, found, .. } = &wrong else { unreachable!("{wrong}") };
    assert_eq!(
        (expected.as_str(), found.as_str()),
        ("the entity type of `clients.Counter`", "the singleton `clients.Counter`")
    );

    let _room = cluster.node(0).spawn(Room::default()).named("room").await.unwrap();
    let wrong = client.lookup::<Phone>("room").await.unwrap_err();
    assert!(matches!(&wrong, FindError::WrongType { found, .. } if found.contains("clients.Room")), "{wrong}");
    let missing = client.lookup::<Room>("no room").within(soon).await.unwrap_err();
    assert_eq!(missing, FindError::NoSuchActor { name: "no room".into(), after: soon });
}
