//! Actors that are made on another node.

use casty::SpawnOnError;
use casty::prelude::*;
use casty_tests::cluster::Cluster;

struct Worker {
    base: u64,
}

#[actor]
impl Worker {
    fn new(name: String, base: u64) -> Self {
        assert!(base < 100, "the base of {name} is too large");
        Self { base }
    }

    #[message]
    fn add(&mut self, n: u64) -> u64 {
        self.base += n;
        self.base
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_is_made_on_the_node_that_was_named() {
    let cluster = Cluster::start(2).await;
    for (on, other) in [(0, 1), (1, 0)] {
        let node = cluster.node(on).id();
        let worker = cluster.node(other).spawn_on::<Worker>(node, ("far".to_owned(), 5)).await.unwrap();
        assert_eq!(worker.add(2).await, Ok(7));
        assert_eq!(worker.add(2).await, Ok(9), "it has state of its own");
        worker.stop();
        worker.stopped().await;
    }
    let here = cluster.node(0).spawn_on::<Worker>(cluster.node(0).id(), ("near".to_owned(), 1)).await.unwrap();
    assert_eq!(here.add(1).await, Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_is_told_by_its_name() {
    let cluster = Cluster::start(2).await;
    let (here, there) = (cluster.node(1), cluster.node(0).id());
    let nobody = here.spawn_on::<Worker>("nobody", (String::new(), 1)).await;
    assert!(matches!(nobody, Err(SpawnOnError::UnknownNode { node }) if node.as_str() == "nobody"));
    let panicked = here.spawn_on::<Worker>(there, ("three".to_owned(), 100)).await;
    assert!(
        matches!(panicked, Err(SpawnOnError::Panicked { reason, .. }) if reason == "the base of three is too large")
    );
}
