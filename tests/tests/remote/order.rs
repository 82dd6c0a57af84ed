//! Messages of one sender are handled in the order sent.

use casty::prelude::*;
use casty_tests::cluster::Cluster;

use crate::support::{Note, echo, reached};

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
    let (_near, far) = echo(&cluster).await;
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
        reached(&far).await;
    }
    far.send(Note(sent)).await.unwrap();
    // Behind all of them.
    let noted = far.noted().await.unwrap();
    assert!(noted.is_sorted(), "no message overtakes another");
    let lost = sent + 1 - noted.len() as u64;
    assert!(lost >= refused, "what was refused was not handled: {lost} lost, {refused} refused");
    assert!(noted.contains(&sent));
}
