//! Requests that are sent again, since their leader was lost before it answered.

use std::time::Duration;

use casty::cluster::Kind;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use casty_tests::gates::Gate;
use casty_tests::journal::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_after_the_leader_is_lost_between_commit_and_reply_gets_the_first_reply() {
    let mut cluster = Cluster::start(3).await;
    let journals = cluster.sharded::<Journal>("journal").await;
    let accounts = cluster.sharded::<Account>("account").await;
    let (asker, leader, other) = (0, 1, 2);
    let id = cluster.ids_led_by(leader, &journals[asker], "retried").next().unwrap();
    let user = cluster.ids_led_by(leader, &accounts[asker], "user").next().unwrap();
    cluster.quiet().await;
    let groups = [journals[asker].group_of(&id), accounts[asker].group_of(&user)];
    let before = groups.map(|group| cluster.status(asker, group).applied);

    cluster.hold(leader, asker, Kind::REPLY);
    let (journal, account) = (journals[asker].entity(id.as_str()), accounts[asker].entity(user.as_str()));
    let appending = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(Append { n: 7 }).timeout(DEADLINE).await }
    });
    let depositing = tokio::spawn({
        let account = account.clone();
        async move { account.deposit(Deposit { amount: 10 }).timeout(DEADLINE).await }
    });
    eventually(DEADLINE, "both followers have applied both writes", || {
        let applied = |number| (0..groups.len()).all(|at| cluster.status(number, groups[at]).applied > before[at]);
        Gate::of(&id).entered() == 1 && applied(asker) && applied(other)
    })
    .await;
    cluster.quiet().await;
    assert!(!appending.is_finished() && !depositing.is_finished(), "the replies are held back");
    cluster.crash(leader);

    assert_eq!(appending.await.unwrap(), Ok(1), "the first reply says that the handler ran once");
    assert_eq!(depositing.await.unwrap(), Ok(10));
    assert_eq!(Gate::of(&id).entered(), 1, "the handler did not run again");
    assert_eq!(journal.entries(Entries).await, Ok(vec![7]));
    assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(11));
    assert_eq!(account.balance(GetBalance).await, Ok(11));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_the_lost_leader_never_committed_are_applied_once_by_the_next() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let (asker, leader, other) = (0, 1, 2);
    let id = cluster.ids_led_by(leader, &accounts[asker], "user").next().unwrap();
    cluster.quiet().await;

    cluster.hold(leader, asker, Kind::RAFT);
    cluster.hold(leader, other, Kind::RAFT);
    let account = accounts[asker].entity(id.as_str());
    let mut asks = Vec::new();
    for _ in 0..20 {
        let account = account.clone();
        asks.push(tokio::spawn(async move { account.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await }));
    }
    eventually(Duration::from_secs(10), "another node leads", || {
        cluster.leader_now(accounts[asker].group_of(&id), asker).is_some_and(|now| now != leader)
    })
    .await;
    cluster.crash(leader);
    let mut balances = Vec::new();
    for ask in asks {
        balances.push(ask.await.unwrap().unwrap());
    }
    balances.sort_unstable();
    assert_eq!(balances, (1..=20).collect::<Vec<_>>());
    assert_eq!(account.balance(GetBalance).await, Ok(20));
}
