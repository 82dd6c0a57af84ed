//! What enters the log.

use std::collections::BTreeMap;

use casty::GroupId;
use casty_tests::bank::*;
use casty_tests::cluster::Cluster;
use futures_util::stream::{self, StreamExt};

const USERS: usize = 36;

/// The term and the last index of every replica.
fn logs(cluster: &Cluster) -> BTreeMap<(usize, GroupId), (u64, Option<u64>)> {
    let statuses = cluster.statuses().into_iter();
    statuses.map(|(place, status)| (place, (status.term, status.last_index))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reads_append_nothing_to_any_log() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let (accounts, user) = (&accounts, |n: usize| format!("user-{}", n % USERS));
    for n in 0..USERS {
        assert_eq!(accounts[n % 3].ask(user(n), Deposit { amount: n as u64 }).await, Ok(n as u64));
    }
    cluster.quiet().await;
    let before = logs(&cluster);
    let reads = (0..1_000).map(|n| async move { (n, accounts[n % 3].ask(user(n), GetBalance).await) });
    let mut reads = stream::iter(reads).buffer_unordered(50);
    while let Some((n, balance)) = reads.next().await {
        assert_eq!(balance, Ok((n % USERS) as u64));
    }
    assert_eq!(logs(&cluster), before);
    assert_eq!(accounts[0].ask(user(0), Deposit { amount: 1 }).await, Ok(1));
    cluster.quiet().await;
    assert_ne!(logs(&cluster), before, "a write is seen in the logs");
}
