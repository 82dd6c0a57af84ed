//! Stores that fail.

use std::sync::Arc;

use casty::AskError;
use casty::storage::MemoryEntityStore;
use casty_tests::bank::*;
use casty_tests::cluster::{DEADLINE, eventually};
use casty_tests::rows::Way;
use futures_util::future::join;

use super::support::Kept;

async fn start() -> Kept {
    Kept::start(Arc::new(MemoryEntityStore::new())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_down_requests_fail_and_name_it_and_then_all_goes_on() {
    let kept = start().await;
    let accounts = kept.entities::<Account>("account", 0).await;
    let (live, cold) = (accounts.entity("live"), accounts.entity("cold"));
    assert_eq!(live.deposit(Deposit { amount: 1 }).await, Ok(1));
    kept.go(Way::Down);
    let (saved, loaded) = join(live.deposit(Deposit { amount: 10 }), cold.deposit(Deposit { amount: 10 })).await;
    for answer in [saved, loaded] {
        let Err(AskError::Unavailable { reason }) = answer else { panic!("{answer:?}") };
        assert!(reason.contains("the store `ledger`") && reason.contains("the test has taken it down"), "{reason}");
    }
    kept.go(Way::Open);
    assert_eq!(live.balance(GetBalance).await, Ok(1), "what could not be saved is gone");
    assert_eq!(live.deposit(Deposit { amount: 1 }).await, Ok(2));
    assert_eq!(cold.deposit(Deposit { amount: 1 }).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_down_for_a_moment_fails_no_request() {
    let kept = start().await;
    let accounts = kept.entities::<Account>("account", 0).await;
    let account = accounts.entity("user");
    assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(1));
    for way in [Way::Down, Way::LosesSaves, Way::LosesAnswers] {
        let before = account.balance(GetBalance).await.unwrap();
        kept.go(way);
        let tried = kept.tried();
        let deposit = tokio::spawn({
            let account = account.clone();
            async move { account.deposit(Deposit { amount: 1 }).await }
        });
        eventually(DEADLINE, "it is tried again", || kept.tried() >= tried + 2).await;
        kept.go(Way::Open);
        assert_eq!(deposit.await.unwrap(), Ok(before + 1), "{way:?}");
        assert_eq!(account.balance(GetBalance).await, Ok(before + 1), "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_cannot_be_found_out_is_told_as_such_and_seen_later() {
    let kept = start().await;
    let accounts = kept.entities::<Account>("account", 0).await;
    for (way, then) in [(Way::LosesSaves, 1), (Way::Mute, 11)] {
        let account = accounts.entity(format!("{way:?}"));
        assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(1));
        kept.go(way);
        let answer = account.deposit(Deposit { amount: 10 }).await;
        assert!(matches!(&answer, Err(AskError::Unknown { reason }) if reason.contains("`ledger`")), "{answer:?}");
        kept.go(Way::Open);
        assert_eq!(account.balance(GetBalance).await, Ok(then));
        assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(then + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_shows_an_unsaved_write_is_answered() {
    let kept = start().await;
    let accounts = kept.entities::<Account>("account", 0).await;
    let account = accounts.entity("user");
    assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(1));
    // Of the same group, so that its reads are confirmed with those of the first.
    let beside = (0..).map(|n| format!("beside-{n}")).find(|id| accounts.group_of(id) == accounts.group_of("user"));
    let beside = accounts.entity(beside.unwrap());
    assert_eq!(beside.balance(GetBalance).await, Ok(0));
    kept.go(Way::HoldsSaves);
    let begun = kept.begun();
    let writing = tokio::spawn({
        let account = account.clone();
        async move { account.deposit(Deposit { amount: 1 }).await }
    });
    eventually(DEADLINE, "it is being saved", || kept.begun() > begun).await;
    let reading = tokio::spawn(async move { account.balance(GetBalance).await });
    for _ in 0..30 {
        assert_eq!(beside.balance(GetBalance).await, Ok(0));
        assert!(!writing.is_finished() && !reading.is_finished(), "the store has not taken it");
    }
    kept.go(Way::Open);
    assert_eq!((writing.await.unwrap(), reading.await.unwrap()), (Ok(2), Ok(2)));
}
