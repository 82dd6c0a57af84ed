//! The loss of a node.

use std::time::{Duration, Instant};

use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE};
use casty_tests::journal::*;
use futures_util::future::join_all;

/// The promise is one second for an optimized program that has its cores for itself.
const FAILOVER_MAX: Duration = Duration::from_secs(2);

const USERS: usize = 48;

async fn loses(victim: usize) {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let survivor = cluster.other_than(&[victim]);
    let users: Vec<_> =
        (0..USERS).map(|user| (user as u64, accounts[survivor].entity(format!("user-{user}")))).collect();
    for round in 1..=3 {
        let deposits = users.iter().map(|(user, account)| async move {
            assert_eq!(account.deposit(Deposit { amount: user + 1 }).await, Ok(round * (user + 1)));
        });
        join_all(deposits).await;
    }
    let orphans: Vec<_> = cluster.ids_led_by(victim, &accounts[survivor], "user").take(USERS / 4).collect();
    assert!(!orphans.is_empty(), "node {victim} leads groups");

    let crashed = Instant::now();
    cluster.crash(victim);
    let served = join_all(orphans.iter().map(|id| {
        let account = accounts[survivor].entity(id.as_str());
        async move {
            account.deposit(Deposit { amount: 0 }).timeout(DEADLINE).await.unwrap();
            crashed.elapsed()
        }
    }));
    let failover = served.await.into_iter().max().unwrap_or_default();
    println!("node {victim} was lost: the last of its groups answered a write after {failover:?}");
    assert!(failover < FAILOVER_MAX, "{failover:?}");

    for (user, account) in &users {
        assert_eq!(account.balance(GetBalance).await, Ok(3 * (user + 1)), "an answered write of user {user} is lost");
    }
    // The new leaders go on where the old ones were, and their followers follow.
    for round in 4..=6 {
        let deposits = users.iter().map(|(user, account)| async move {
            assert_eq!(account.deposit(Deposit { amount: user + 1 }).await, Ok(round * (user + 1)));
        });
        join_all(deposits).await;
    }
    cluster.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_writes_survive_the_first_node_and_its_entities_are_served_again_soon() {
    loses(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_writes_survive_the_second_node_and_its_entities_are_served_again_soon() {
    loses(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_writes_survive_the_third_node_and_its_entities_are_served_again_soon() {
    loses(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_on_start_changes_is_kept_like_any_write() {
    let mut cluster = Cluster::start(3).await;
    let journals = cluster.sharded::<Journal>("journal").await;
    let (asker, leader) = (0, 1);
    let id = cluster.ids_led_by(leader, &journals[asker], "begun").next().unwrap();
    let journal = journals[asker].entity(id.as_str());
    assert_eq!(journal.lives(Lives).await, Ok(1));
    assert_eq!(journal.lives(Lives).await, Ok(1));
    cluster.crash(leader);
    assert_eq!(journal.lives(Lives).timeout(DEADLINE).await, Ok(2), "the second life knows of the first");
}
