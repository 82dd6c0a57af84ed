//! What is kept, whichever store keeps it. A new one adds a line.

use casty::cluster::Kind;
use casty_tests::bank::*;
use casty_tests::cluster::{DEADLINE, eventually};
use casty_tests::load::Load;
use casty_tests::rows::Way;
use futures_util::future::join_all;

use super::support::{Kept, Store};

async fn what_was_answered_is_there_after_the_whole_cluster_has_stopped(store: Store) {
    for round in 0..3 {
        let mut kept = Kept::start(store.clone()).await;
        let accounts = kept.entities::<Account>("account", round).await;
        let deposits = (0..50).map(|user| accounts.ask(format!("user-{user}"), Deposit { amount: user }));
        let balances = join_all(deposits).await;
        let expected: Vec<_> = (0..50).map(|user| Ok(user * (round as u64 + 1))).collect();
        assert_eq!(balances, expected);
        // The last round of all ends without a word.
        if round < 2 {
            kept.cluster.stop().await;
        }
    }
}

async fn a_retry_after_the_owner_is_lost_between_save_and_reply_gets_the_first_reply(store: Store) {
    let mut kept = Kept::start(store).await;
    let (asker, owner) = (0, 1);
    let accounts = kept.entities::<Account>("account", asker).await;
    let id = kept.cluster.ids_led_by(owner, &accounts, "retried").next().unwrap();
    kept.cluster.hold(owner, asker, Kind::REPLY);
    let account = accounts.entity(id.as_str());
    let depositing = tokio::spawn({
        let account = account.clone();
        async move { account.deposit(Deposit { amount: 7 }).timeout(DEADLINE).await }
    });
    eventually(DEADLINE, "the owner has saved", || kept.ways[owner].saved() == 1).await;
    assert!(!depositing.is_finished(), "the reply is held back");
    kept.cluster.crash(owner);
    assert_eq!(depositing.await.unwrap(), Ok(7), "the first reply");
    assert_eq!(account.balance(GetBalance).await, Ok(7));
    assert_eq!(kept.revision("account", &id).await, 1, "nothing was saved again");
}

async fn a_failover_under_load_neither_loses_nor_repeats_anything(store: Store) {
    let mut kept = Kept::start(store).await;
    let accounts = kept.entities::<Account>("account", 0).await;
    let load = Load::start(&accounts, 8);
    eventually(DEADLINE, "the load runs", || load.written() > 100).await;
    kept.cluster.crash(1);
    let written = load.written();
    eventually(DEADLINE, "the load goes on", || load.written() > written + 100).await;
    for (id, balance) in load.finish().await {
        assert_eq!(accounts.entity(id).balance(GetBalance).await, Ok(balance));
    }
}

async fn the_save_of_an_owner_that_was_deposed_is_refused(store: Store) {
    let kept = Kept::start(store).await;
    let (asker, owner) = (0, 1);
    let accounts = kept.entities::<Account>("account", asker).await;
    let id = kept.cluster.ids_led_by(owner, &accounts, "user").next().unwrap();
    kept.ways[owner].go(Way::HoldsSaves);
    let account = accounts.entity(id.as_str());
    let depositing = tokio::spawn({
        let account = account.clone();
        async move { account.deposit(Deposit { amount: 10 }).timeout(DEADLINE).await }
    });
    eventually(DEADLINE, "the owner saves", || kept.ways[owner].begun() == 1).await;
    kept.cluster.tear_off(owner);
    assert_eq!(depositing.await.unwrap(), Ok(10), "the next owner does it");
    assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(11));
    kept.ways[owner].go(Way::Open);
    eventually(DEADLINE, "the late save is refused", || kept.ways[owner].refused() == 1).await;
    assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(12));
    assert_eq!((kept.ways[owner].saved(), kept.revision("account", &id).await), (0, 3));
}

on_each_store! {
    what_was_answered_is_there_after_the_whole_cluster_has_stopped
    a_retry_after_the_owner_is_lost_between_save_and_reply_gets_the_first_reply
    a_failover_under_load_neither_loses_nor_repeats_anything
    the_save_of_an_owner_that_was_deposed_is_refused
}
