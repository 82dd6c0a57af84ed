//! When an ask ends.

use std::time::{Duration, Instant};

use casty::AskError;
use casty_tests::bank::*;
use casty_tests::cluster::Cluster;
use futures_util::future::join_all;

/// What is promised: 20 ms after the deadline.
const PROMISED: Duration = Duration::from_millis(20);

/// Three unoptimized nodes, all of them trying to elect leaders, share two threads with the askers: so long a task that
/// is ready may wait for a thread.
const SCHEDULING: Duration = Duration::from_millis(130);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ask_ends_at_its_deadline_though_there_is_no_quorum_at_all() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    join_all((0..24).map(|user| accounts[0].ask(format!("user-{user}"), Deposit { amount: 1 }))).await;
    for number in 0..3 {
        cluster.isolate(number);
    }
    for round in 0..4u64 {
        let asks = (0..72).map(|n| {
            let account = accounts[n % 3].entity(format!("user-{}", n / 3));
            let allowed = Duration::from_millis(50 + 250 * (n as u64 % 4) + round);
            async move {
                let begun = Instant::now();
                let end = match n % 2 {
                    0 => account.deposit(Deposit { amount: 1 }).timeout(allowed).await,
                    _ => account.balance(GetBalance).timeout(allowed).await,
                };
                (allowed, end, begun.elapsed())
            }
        });
        for (allowed, end, took) in join_all(asks).await {
            let failed =
                matches!(end, Err(AskError::Timeout { .. } | AskError::Unknown { .. } | AskError::Unavailable { .. }));
            assert!(failed, "{end:?}");
            assert!(took < allowed + PROMISED + SCHEDULING, "{allowed:?} were allowed, it took {took:?}: {end:?}");
        }
    }
}
