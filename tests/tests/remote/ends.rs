//! How asks and sends end that do not succeed.

use std::time::Duration;

use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::support::{Echo, Note, carried, echo, gated, narrow};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_panics_is_told_at_once() {
    let cluster = Cluster::start(2).await;
    let near = cluster.node(0).spawn_with(Echo::default).await.unwrap();
    let far = carried(&cluster, 0, 1, &near);
    assert_eq!(far.explode().await, Err(AskError::Failed));
    assert_eq!(far.half(2).await, Ok(1), "it was made anew, and the reference is the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_actor_is_told_at_once() {
    let cluster = Cluster::start(2).await;
    let (_near, far) = echo(&cluster).await;
    far.stop();
    timeout(DEADLINE, far.stopped()).await.unwrap();
    assert_eq!(far.half(2).await, Err(AskError::Stopped));
    assert!(matches!(far.send(Note(1)).await, Err(SendError::Stopped(Note(1)))), "the message is handed back");
    let again = cluster.node(1).import::<Echo>(&cluster.node(1).export(&far).unwrap()).unwrap();
    assert_eq!(again.half(2).await, Err(AskError::Stopped));
    // At home the address leads nowhere either.
    let home = cluster.node(0).import::<Echo>(&cluster.node(1).export(&far).unwrap()).unwrap();
    assert_eq!(home.half(2).await, Err(AskError::Stopped));
    timeout(DEADLINE, home.stopped()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_actor_handles_what_it_has() {
    let cluster = Cluster::start(2).await;
    let (near, far) = echo(&cluster).await;
    for n in 0..100 {
        far.send(Note(n)).await.unwrap();
    }
    let noted = near.noted();
    far.drain();
    timeout(DEADLINE, far.stopped()).await.unwrap();
    drop(noted);
    assert_eq!(cluster.node(0).dead_letters().total(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_for_an_actor_that_stops_are_told() {
    let cluster = Cluster::start(2).await;
    let (gate, near, far) = gated(&cluster).await;
    let stopping = async {
        eventually(DEADLINE, "the handler runs", || gate.entered() == 1).await;
        // Sent behind the ask, and on the same way: the other node has both when it has this.
        assert_eq!(
            carried(&cluster, 0, 1, &cluster.node(0).spawn(Echo::default()).await.unwrap()).half(2).await,
            Ok(1)
        );
        near.stop();
        gate.open(1);
    };
    let (first, second, ()) = tokio::join!(far.wait(1), far.half(2), stopping);
    assert_eq!(first, Ok(1), "the message in hand is handled");
    assert_eq!(second, Err(AskError::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mailbox_that_refuses_is_told_at_once() {
    let cluster = Cluster::start(2).await;
    let (gate, far) = narrow(&cluster).await;
    let asks = (0..10).map(|n| far.wait(n).timeout(DEADLINE));
    let opening = async {
        // Refused ones end by themselves; what was taken waits for the gate.
        eventually(DEADLINE, "some were refused", || {
            cluster.node(0).dead_letters().count(casty::actor::DeadReason::NoRoom) > 0
        })
        .await;
        gate.open(10);
    };
    let (ends, ()) = tokio::join!(join_all(asks), opening);
    assert!(ends.iter().any(|end| end == &Err(AskError::MailboxFull)), "{ends:?}");
    assert!(ends.iter().all(|end| end.is_ok() || end == &Err(AskError::MailboxFull)), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_actor_slows_its_senders_down_and_loses_nothing() {
    let cluster = Cluster::start(2).await;
    let (gate, _near, far) = gated(&cluster).await;
    let first = async { far.wait(0).timeout(DEADLINE).await };
    let filling = async {
        let mut sent = 0_u64;
        loop {
            // More than the window, the mailbox and what it has in hand can take.
            match timeout(Duration::from_millis(500), far.send(Note(sent))).await {
                Ok(done) => done.unwrap(),
                Err(_waits) => break,
            }
            sent += 1;
            assert!(sent < 10_000, "nothing holds the sender back");
        }
        assert!(matches!(far.try_send(Note(sent)), Err(SendError::Full(Note(_)))));
        gate.open(1);
        sent
    };
    let (first, sent) = tokio::join!(first, filling);
    assert_eq!(first, Ok(0));
    // Behind all of them: one of its own node would not wait for what is still under way.
    assert_eq!(far.noted().await.unwrap(), (0..sent).collect::<Vec<_>>());
    far.send(Note(sent)).await.unwrap();
    assert_eq!(cluster.node(0).dead_letters().total(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_never_reaches_another_asker() {
    let cluster = Cluster::start(2).await;
    let (gate, _near, far) = gated(&cluster).await;
    for round in 0..3 {
        let late = (0..10).map(|n| far.wait(n).timeout(Duration::from_millis(100)));
        for end in join_all(late).await {
            assert!(matches!(end, Err(AskError::Timeout { .. })), "{end:?}");
        }
        let asks = (100..140).map(|n| {
            let far = far.clone();
            async move { (n, far.wait(n).timeout(DEADLINE).await) }
        });
        let opening = async { gate.open(50) };
        let (ends, ()) = tokio::join!(join_all(asks), opening);
        for (n, end) in ends {
            assert_eq!(end, Ok(n), "round {round}: an ask got the reply of another");
        }
    }
}
