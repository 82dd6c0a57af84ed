//! Handlers that fail, and handlers that take their time.

use std::time::Duration;

use casty::AskError;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use casty_tests::gates::Gate;
use casty_tests::journal::*;
use tokio::time::timeout;

/// Well below the default deadline of an ask.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_panics_changes_nothing_its_asker_is_told_at_once_and_the_entity_goes_on() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let (asker, leader) = (0, 1);
    let id = cluster.ids_led_by(leader, &accounts[asker], "user").next().unwrap();
    for accounts in &accounts {
        let alice = accounts.entity(id.as_str());
        let before = alice.deposit(Deposit { amount: 5 }).await.unwrap();
        // What is queued behind the panic is handled on the state before it.
        let all = async {
            tokio::join!(
                alice.deposit(Deposit { amount: 1 }),
                alice.explode(Explode),
                alice.deposit(Deposit { amount: 1 }),
                alice.balance(GetBalance),
            )
        };
        let (first, failed, second, balance) = timeout(AT_ONCE, all).await.unwrap();
        assert_eq!(failed, Err(AskError::Failed));
        assert_eq!((first, second, balance), (Ok(before + 1), Ok(before + 2), Ok(before + 2)));
    }
    cluster.crash(leader);
    assert_eq!(accounts[asker].entity(id).balance(GetBalance).timeout(DEADLINE).await, Ok(21));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_an_async_handler_is_kept_as_it_is_when_the_handler_has_ended() {
    let mut cluster = Cluster::start(3).await;
    let journals = cluster.sharded::<Journal>("journal").await;
    let (asker, leader) = (0, 1);
    let id = cluster.ids_led_by(leader, &journals[asker], "async").next().unwrap();
    let journal = journals[asker].entity(id.as_str());
    let appending = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append_later(AppendLater { n: 3 }).timeout(DEADLINE).await }
    });
    eventually(DEADLINE, "the handler has begun", || Gate::of(&id).entered() == 1).await;
    Gate::of(&id).open(1);
    assert_eq!(appending.await.unwrap(), Ok(3));
    cluster.crash(leader);
    assert_eq!(journal.entries(Entries).timeout(DEADLINE).await, Ok(vec![3]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_is_lost_with_its_leader_runs_again_and_counts_once() {
    let mut cluster = Cluster::start(3).await;
    let journals = cluster.sharded::<Journal>("journal").await;
    let (asker, leader) = (0, 1);
    let id = cluster.ids_led_by(leader, &journals[asker], "lost").next().unwrap();
    let journal = journals[asker].entity(id.as_str());
    let appending = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append_later(AppendLater { n: 3 }).timeout(DEADLINE).await }
    });
    eventually(DEADLINE, "the handler has begun", || Gate::of(&id).entered() == 1).await;
    cluster.crash(leader);
    eventually(DEADLINE, "the handler has begun again", || Gate::of(&id).entered() == 2).await;
    Gate::of(&id).open(2);
    assert_eq!(appending.await.unwrap(), Ok(3));
    assert_eq!(journal.entries(Entries).await, Ok(vec![3]));
}
