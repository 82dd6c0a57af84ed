//! A server of PostgreSQL that restarts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use casty::AskError;
use casty::storage::{EntityKey, EntityStore, EntityStoreError, PostgresStore, StoredEntity};
use casty_tests::bank::*;
use casty_tests::cluster::{DEADLINE, eventually};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::support::{Kept, postgres};
use super::wire::Wire;

/// One client's account: what it holds at least, and at most.
struct Holding {
    least: u64,
    most: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_write_is_lost_when_the_server_restarts_under_load() {
    let Some((server, store)) = postgres().await else { return };
    let (server, kept) = (Arc::new(server), Kept::start(store).await);
    let accounts = kept.entities::<Account>("account", 0).await;
    let (end, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    for client in 0..8 {
        let id = format!("load-{client}");
        let (account, end, written) = (accounts.entity(id.as_str()), end.clone(), written.clone());
        clients.spawn(async move {
            let mut held = Holding { least: 0, most: 0 };
            while !end.load(Ordering::Relaxed) {
                match account.deposit(Deposit { amount: 1 }).await {
                    Ok(now) => {
                        assert!(held.least < now && now <= held.most + 1, "{id}: {now} after {}", held.least);
                        held = Holding { least: now, most: now };
                        written.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(AskError::Unavailable { .. }) => {}
                    Err(AskError::Unknown { .. }) => held.most += 1,
                    Err(other) => panic!("{id}: {other}"),
                }
            }
            (id, held)
        });
    }
    for mode in ["fast", "immediate", "fast", "immediate"] {
        let before = written.load(Ordering::Relaxed);
        eventually(DEADLINE, "the load runs", || written.load(Ordering::Relaxed) > before + 200).await;
        let server = server.clone();
        let restarted = spawn_blocking(move || {
            server.stop(mode);
            server.go_on();
        });
        restarted.await.unwrap();
    }
    let before = written.load(Ordering::Relaxed);
    eventually(DEADLINE, "the load runs again", || written.load(Ordering::Relaxed) > before + 200).await;
    end.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        let (id, held) = client.unwrap();
        let now = accounts.entity(id.as_str()).balance(GetBalance).await.unwrap();
        assert!(held.least <= now && now <= held.most, "{id}: {now} of {} to {}", held.least, held.most);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_is_gone_requests_name_it_and_then_all_goes_on() {
    let Some((server, store)) = postgres().await else { return };
    let kept = Kept::start(store).await;
    let account = kept.entities::<Account>("account", 0).await.entity("user");
    assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(1));
    server.stop("fast");
    let answer = account.deposit(Deposit { amount: 10 }).await;
    let Err(AskError::Unavailable { reason } | AskError::Unknown { reason }) = &answer else { panic!("{answer:?}") };
    assert!(
        reason.contains("the store `ledger`") && reason.contains("the database `postgres` of PostgreSQL"),
        "{reason}"
    );
    server.go_on();
    assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_the_database_cannot_hold_fails_alone() {
    let Some((_server, store)) = postgres().await else { return };
    let kept = Kept::start(store).await;
    let accounts = kept.entities::<Account>("account", 0).await;
    let (good, bad) = (accounts.entity("good"), accounts.entity("bad\0"));
    assert_eq!(good.deposit(Deposit { amount: 1 }).await, Ok(1));
    let refused = tokio::spawn(async move { bad.deposit(Deposit { amount: 1 }).await });
    for balance in 2..50 {
        assert_eq!(good.deposit(Deposit { amount: 1 }).await, Ok(balance));
    }
    let answer = refused.await.unwrap();
    assert!(matches!(answer, Err(AskError::Unavailable { .. })), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_whose_connection_breaks_before_the_answer_may_have_been_done() {
    let Some((server, store)) = postgres().await else { return };
    let wire = Wire::to(server.folder());
    let by_wire = PostgresStore::connect(&wire.settings()).await.unwrap();
    let key = EntityKey { entity_type: "account".into(), id: "a".into() };
    let [first, second] = ["first", "second"].map(Bytes::from);
    by_wire.save(&key, 0, first).await.unwrap();
    wire.hold();
    let saving = tokio::spawn({
        let (by_wire, key, row) = (by_wire.clone(), key.clone(), second.clone());
        async move { by_wire.save(&key, 1, row).await }
    });
    let saved = Some(StoredEntity { revision: 2, row: second });
    let arrives = async { while store.load(&key).await.unwrap() != saved {} };
    timeout(DEADLINE, arrives).await.expect("the database has saved it");
    wire.cut();
    let answer = saving.await.unwrap();
    assert!(matches!(answer, Err(EntityStoreError::Unknown(_))), "{answer:?}");
    assert_eq!(by_wire.load(&key).await.unwrap(), saved, "it connects again");
}
