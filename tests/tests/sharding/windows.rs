//! How much may be under way.

use casty::SendError;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use casty_tests::gates::Gate;
use casty_tests::journal::*;
use futures_util::future::join_all;

const WINDOW: usize = 16;

/// One entity's part of the window.
const SHARE: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_entity_is_held_to_its_part_of_the_window_others_go_on_and_nothing_is_lost() {
    let cluster = Cluster::start_with(3, |config| config.window(WINDOW)).await;
    let journals = cluster.sharded::<Journal>("journal").await;
    for asker in [0, 1] {
        let id = cluster.ids_led_by(1, &journals[asker], &format!("hot-{asker}")).next().unwrap();
        let (journal, gate) = (journals[asker].entity(id.as_str()), Gate::of(&id));
        let recipient = journal.recipient::<AppendLater>();
        for n in 1..=SHARE {
            recipient.try_send(AppendLater { n }).unwrap();
        }
        let full = recipient.try_send(AppendLater { n: 99 });
        assert!(matches!(full, Err(SendError::Full(AppendLater { n: 99 }))), "{full:?}");
        // These wait for room, in order.
        let sending = tokio::spawn({
            let journal = journal.clone();
            async move {
                for n in SHARE + 1..=40 {
                    journal.send(AppendLater { n }).await.unwrap();
                }
            }
        });
        eventually(DEADLINE, "the first handler waits", || gate.entered() == 1).await;
        let group = journals[asker].group_of(&id);
        let cold = (0..1_000).map(|n| format!("cold-{n}")).filter(|id| journals[asker].group_of(id) == group);
        let others = join_all(cold.take(40).map(|id| journals[asker].ask(id, Append { n: 1 }))).await;
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        assert!(!sending.is_finished() && gate.entered() == 1, "the hot entity is still at its first message");

        gate.open(40);
        sending.await.unwrap();
        eventually(DEADLINE, "all have been handled", || gate.entered() == 40).await;
        assert_eq!(journal.entries(Entries).await, Ok((1..=40).collect()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_a_small_window_and_all_are_answered() {
    let cluster = Cluster::start_with(3, |config| config.window(WINDOW)).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let asks = (0..300).map(|n| accounts[n % 3].ask(format!("user-{}", n % 7), Deposit { amount: 1 }));
    let ends = join_all(asks).await;
    let failed: Vec<_> = ends.iter().enumerate().filter(|(_, end)| end.is_err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let balances = join_all((0..7).map(|user| accounts[0].ask(format!("user-{user}"), GetBalance))).await;
    assert_eq!(balances.into_iter().map(Result::unwrap).sum::<u64>(), 300);
}
