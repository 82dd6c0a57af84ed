//! The order of one sender's messages.

use std::pin::Pin;

use casty_tests::cluster::{Cluster, DEADLINE};
use casty_tests::journal::*;
use futures_util::poll;
use tokio::time::timeout;

const MESSAGES: u64 = 900;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_one_sender_are_applied_once_and_in_order_though_the_leader_is_lost() {
    let mut cluster = Cluster::start(3).await;
    let journals = cluster.sharded::<Journal>("journal").await;
    let (sender, leader) = (0, 1);
    let id = cluster.ids_led_by(leader, &journals[sender], "ordered").next().unwrap();
    let journal = journals[sender].entity(id.as_str());

    let mut pending: Vec<Pin<Box<dyn Future<Output = bool> + Send>>> = Vec::new();
    for n in 1..=MESSAGES {
        let journal = journal.clone();
        // The same order holds for messages with and without a reply.
        let mut message: Pin<Box<dyn Future<Output = bool> + Send>> = match n % 3 {
            0 => Box::pin(async move { journal.send(Append { n }).await.is_ok() }),
            _ => Box::pin(async move { journal.append(Append { n }).timeout(DEADLINE).await.is_ok() }),
        };
        // Polled once, it is queued. One that is ready already went through.
        if poll!(message.as_mut()).is_pending() {
            pending.push(message);
        }
    }
    let mut pending = pending.into_iter();
    for message in pending.by_ref().take(60) {
        assert!(timeout(DEADLINE, message).await.unwrap());
    }
    assert!(pending.len() > 300, "the leader is lost in the middle");
    cluster.crash(leader);
    for message in pending {
        assert!(timeout(DEADLINE, message).await.unwrap());
    }
    let entries = journal.entries(Entries).timeout(DEADLINE).await.unwrap();
    assert_eq!(entries, (1..=MESSAGES).collect::<Vec<_>>());
}
