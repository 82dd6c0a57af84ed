//! Replies that come late.

use std::time::Duration;

use casty::AskError;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use casty_tests::gates::Gate;
use casty_tests::journal::*;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_never_reaches_another_caller() {
    let cluster = Cluster::start(3).await;
    let journals = cluster.sharded::<Journal>("journal").await;
    let leader = 1;
    let id = cluster.ids_led_by(leader, &journals[0], "late").next().unwrap();
    let gate = Gate::of(&id);
    for (round, asker) in [leader, 0].into_iter().enumerate() {
        let journal = journals[asker].entity(id.as_str());
        let begun = 1_000 * round as u64;
        let before = gate.entered();
        let late =
            (1..=10).map(|n| journal.append_later(AppendLater { n: begun + n }).timeout(Duration::from_millis(300)));
        for end in join_all(late).await {
            assert!(matches!(end, Err(AskError::Timeout { .. })), "{end:?}");
        }
        assert!(gate.entered() > before, "the first handler waits at the gate");
        let asks = (100..140).map(|n| {
            let journal = journal.clone();
            async move { (n, journal.append_later(AppendLater { n: begun + n }).timeout(DEADLINE).await) }
        });
        let opening = async { gate.open(50) };
        let (ends, ()) = tokio::join!(join_all(asks), opening);
        for (n, end) in ends {
            assert_eq!(end, Ok(begun + n), "an ask got the reply of another");
        }
        let entries = journal.entries(Entries).await.unwrap();
        let later: Vec<_> = entries.iter().copied().filter(|n| *n >= begun + 100).collect();
        assert_eq!(later, (begun + 100..begun + 140).collect::<Vec<_>>());
        assert!(entries.contains(&(begun + 1)), "what had begun when its asker gave up still counts");
        // Those that were overdue before they ran may or may not have run; each at most once.
        let mut once = entries.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), entries.len());
        eventually(DEADLINE, "no handler waits", || gate.entered() >= before + 41).await;
    }
}
