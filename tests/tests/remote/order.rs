//! Messages of one sender are handled in the order sent.

use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};

use crate::support::{Note, echo};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_sends_arrive_in_order_and_none_is_missing() {
    let cluster = Cluster::start(2).await;
    let (_near, far) = echo(&cluster).await;
    for n in 0..10_000 {
        far.send(Note(n)).await.unwrap();
    }
    assert_eq!(far.noted().await.unwrap(), (0..10_000).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_link_leaves_gaps_and_never_another_order() {
    let cluster = Cluster::start(2).await;
    let (near, far) = echo(&cluster).await;
    let (mut sent, mut refused) = (0_u64, 0_u64);
    for round in 0..4 {
        for n in 0..500 {
            if n == 250 {
                let (from, to) = if round % 2 == 0 { (1, 0) } else { (0, 1) };
                cluster.network.sever(from, &cluster.node(to).address());
            }
            match far.send(Note(sent)).await {
                Ok(()) => {}
                Err(SendError::Unavailable { message: Note(n), .. }) => {
                    assert_eq!(n, sent, "the message is handed back");
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
            sent += 1;
        }
        let mut asked = None;
        while asked.is_none() {
            // Until both links are there again.
            asked = far.half(2).await.ok();
            tokio::task::yield_now().await;
        }
    }
    far.send(Note(sent)).await.unwrap();
    let mut noted = Vec::new();
    eventually(DEADLINE, "the last message is handled", || far.try_send(Note(u64::MAX)).is_ok()).await;
    while noted.last() != Some(&u64::MAX) {
        noted = near.noted().await.unwrap();
    }
    assert!(noted.is_sorted(), "no message overtakes another");
    let lost = sent + 2 - noted.len() as u64;
    assert!(lost >= refused, "what was refused was not handled: {lost} lost, {refused} refused");
    assert!(noted.contains(&sent));
}
