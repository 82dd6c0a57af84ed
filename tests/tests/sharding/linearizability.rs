//! Reads see what was answered before they began, whatever happens to leaders.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use casty::Sharded;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::future::join_all;
use tokio::time::{interval, timeout};

const ASK_TIMEOUT: Duration = Duration::from_millis(500);

/// How often a node without a leader is asked again.
const PACE: Duration = Duration::from_millis(1);

const USER: &str = "watched";

/// What the writer and the readers know.
#[derive(Default)]
struct Register {
    answered: AtomicU64,
    reads: [AtomicU64; 3],
    done: AtomicBool,
}

impl Register {
    async fn write(&self, accounts: Sharded<Account>) {
        let (account, mut pace) = (accounts.entity(USER), interval(PACE));
        while !self.done.load(Ordering::SeqCst) {
            // A write whose end is unknown may count later; the register only ever grows.
            if let Ok(balance) = account.deposit(Deposit { amount: 1 }).timeout(ASK_TIMEOUT).await {
                self.answered.fetch_max(balance, Ordering::SeqCst);
            }
            pace.tick().await;
        }
    }

    async fn read(&self, reader: usize, accounts: Sharded<Account>) {
        let (account, mut pace) = (accounts.entity(USER), interval(PACE));
        let mut last = 0;
        while !self.done.load(Ordering::SeqCst) {
            let before = self.answered.load(Ordering::SeqCst).max(last);
            if let Ok(seen) = account.balance(GetBalance).timeout(ASK_TIMEOUT).await {
                assert!(seen >= before, "reader {reader} saw {seen} after {before} had been answered");
                last = seen;
                self.reads[reader].fetch_add(1, Ordering::SeqCst);
            }
            pace.tick().await;
        }
    }

    fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_on_every_node_see_all_that_was_answered_before_though_leaders_are_cut_off_and_crash() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let register = Arc::new(Register::default());
    let group = accounts[0].group_of(USER);
    let first = cluster.leader_of(group, 0).await;
    let writer = cluster.other_than(&[first]);
    let mut tasks = Vec::new();
    for (reader, accounts) in accounts.iter().enumerate() {
        let (register, accounts) = (register.clone(), accounts.clone());
        tasks.push(tokio::spawn(async move { register.read(reader, accounts).await }));
    }
    for writer in [writer, first] {
        let (register, accounts) = (register.clone(), accounts[writer].clone());
        tasks.push(tokio::spawn(async move { register.write(accounts).await }));
    }
    for _ in 0..3 {
        let observer = cluster.other_than(&[]);
        let leader = cluster.leader_of(group, observer).await;
        let other = cluster.other_than(&[leader]);
        // The others elect another while the old one still believes in itself.
        cluster.tear_off(leader);
        let begun = register.answered();
        eventually(DEADLINE, "writes are answered by another leader", || {
            let elected = cluster.leader_now(group, other).is_some_and(|now| now != leader);
            elected && register.answered() > begun + 10
        })
        .await;
        cluster.network.heal();
        let reads = register.reads[leader].load(Ordering::SeqCst);
        eventually(DEADLINE, "the old leader reads again", || {
            register.reads[leader].load(Ordering::SeqCst) > reads + 5
        })
        .await;
    }
    let leader = cluster.leader_of(group, 0).await;
    let begun = register.answered();
    cluster.crash(leader);
    eventually(DEADLINE, "writes go on", || register.answered() > begun + 10).await;
    register.done.store(true, Ordering::SeqCst);
    for task in tasks {
        timeout(DEADLINE, task).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_does_not_know_yet_that_it_was_replaced_answers_no_stale_read() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let (old, writer) = (1, 0);
    let users: Vec<_> = cluster.ids_led_by(old, &accounts[writer], "user").take(8).collect();
    for user in &users {
        assert_eq!(accounts[old].ask(user.as_str(), Deposit { amount: 1 }).await, Ok(1));
    }
    cluster.quiet().await;
    // Nothing is under way, so nothing but a look at the quorum keeps the old leader from answering what it knows.
    cluster.tear_off(old);
    let watched = users.iter().map(|user| {
        let (group, cluster) = (accounts[old].group_of(user), &cluster);
        let (here, there) = (accounts[old].entity(user.as_str()), accounts[writer].entity(user.as_str()));
        async move {
            let (answered, mut pace) = (AtomicU64::new(1), interval(PACE));
            let write = async {
                let balance = there.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await.unwrap();
                answered.store(balance, Ordering::SeqCst);
            };
            let read = async {
                while answered.load(Ordering::SeqCst) == 1 || cluster.leader_now(group, old) == Some(old) {
                    let before = answered.load(Ordering::SeqCst);
                    if let Ok(seen) = here.balance(GetBalance).timeout(ASK_TIMEOUT).await {
                        assert!(seen >= before, "{user}: saw {seen} after {before} had been answered");
                    }
                    pace.tick().await;
                }
            };
            tokio::join!(write, read);
        }
    });
    timeout(DEADLINE, join_all(watched)).await.unwrap();
}
