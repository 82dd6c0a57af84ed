//! Nodes and links that fail.

use std::time::{Duration, Instant};

use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};

use crate::support::{Echo, Note, carried, echo, gated, reached};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_a_node_that_dies_is_told_at_once() {
    let mut cluster = Cluster::start(2).await;
    let (gate, near, far) = gated(&cluster).await;
    let asker = far.clone();
    let asking = tokio::spawn(async move { asker.wait(1).timeout(DEADLINE).await });
    eventually(DEADLINE, "the handler waits", || gate.entered() == 1).await;
    drop(near);
    let begun = Instant::now();
    cluster.crash(0);
    let end = asking.await.unwrap();
    assert!(matches!(end, Err(AskError::Unknown { .. } | AskError::Unavailable { .. } | AskError::Stopped)), "{end:?}");
    assert!(begun.elapsed() < DEADLINE / 4, "told after {:?}", begun.elapsed());
    // Now nothing leaves.
    eventually(DEADLINE, "the link is gone", || far.try_send(Note(2)).is_err()).await;
    assert!(matches!(far.half(2).await, Err(AskError::Unavailable { .. })));
    assert!(matches!(far.send(Note(3)).await, Err(SendError::Unavailable { message: Note(3), .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_over_a_link_that_breaks_is_told_at_once() {
    for (from, to) in [(1, 0), (0, 1)] {
        let cluster = Cluster::start(2).await;
        let (gate, _near, far) = gated(&cluster).await;
        let asker = far.clone();
        let asking = tokio::spawn(async move { asker.wait(1).timeout(DEADLINE).await });
        eventually(DEADLINE, "the handler waits", || gate.entered() == 1).await;
        let begun = Instant::now();
        cluster.network.sever(from, &cluster.node(to).address());
        let end = asking.await.unwrap();
        assert!(matches!(end, Err(AskError::Unknown { .. })), "{end:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "told after {:?}", begun.elapsed());
        gate.open(10);
        reached(&far).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_life_of_a_node_is_not_taken_for_the_earlier() {
    let mut cluster = Cluster::start(2).await;
    let (_near, far) = echo(&cluster).await;
    assert_eq!(far.half(2).await, Ok(1));
    cluster.crash(0);
    let seed = cluster.node(1).address();
    let config = casty_tests::cluster::config(1, 2).seeds([seed]);
    let again = casty_tests::cluster::node(config).await;
    let number = cluster.add(again);
    let near = cluster.node(number).spawn(Echo::default()).await.unwrap();
    let new = carried(&cluster, number, 1, &near);
    reached(&new).await;
    assert!(matches!(far.half(2).await, Err(AskError::Unavailable { .. })), "the old actor is gone for good");
}
