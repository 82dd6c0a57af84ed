//! Nodes that stop, and go on.

use casty::base::BoxError;
use casty::{Sharded, StateMachine};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, Folders, eventually};
use casty_tests::load::Load;
use futures_util::future::try_join_all;

async fn accounts(cluster: &Cluster, number: usize) -> Sharded<Account> {
    cluster.node(number).sharded::<Account>("account").start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_all_nodes_have_stopped() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    let before = accounts(&cluster, 0).await;
    for user in 0..100 {
        assert_eq!(before.ask(format!("user-{user}"), Deposit { amount: user }).await, Ok(user));
    }
    let keys: Vec<_> = cluster.live().map(|(_, node)| node.me().key).collect();
    for round in 1..=3 {
        cluster.stop().await;
        // In another order each time.
        cluster.start_again(&folders, (0..3).map(|number| (number + round) % 3)).await;
        let again: Vec<_> = cluster.live().map(|(_, node)| node.me().key).collect();
        assert_eq!(again, keys, "the same nodes go on");
        let accounts = accounts(&cluster, round % 3).await;
        for user in 0..100 {
            let expected = user + round as u64 - 1;
            let account = accounts.entity(format!("user-{user}"));
            assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(expected));
            assert_eq!(account.deposit(Deposit { amount: 1 }).await, Ok(expected + 1));
        }
    }
    cluster.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_restart_one_after_the_other_lose_nothing_and_no_request_fails() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    for number in 0..3 {
        let caller = cluster.other_than(&[number]);
        let load = Load::start(&accounts(&cluster, caller).await, 8);
        cluster.take(number).shutdown().await;
        let written = load.written();
        eventually(DEADLINE, "the others go on", || load.written() > written + 100).await;
        cluster.start_again(&folders, [number]).await;
        let restarted = accounts(&cluster, number).await;
        for (id, balance) in load.finish().await {
            assert_eq!(restarted.entity(id.as_str()).balance(GetBalance).await, Ok(balance));
            assert_eq!(restarted.entity(id).withdraw(Withdraw { amount: balance }).await, Ok(0));
        }
    }
    cluster.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_goes_on_after_all_its_nodes_have_crashed_under_load() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    let before = accounts(&cluster, 0).await;
    let mut answered = 0;
    for round in 0..3 {
        // Nobody hears of what is under way: each node ends where it stands.
        let account = if round == 0 { before.clone() } else { accounts(&cluster, 0).await };
        let account = account.entity("alice");
        for _ in 0..50 {
            answered = account.deposit(Deposit { amount: 1 }).await.unwrap();
        }
        let more = async move { while account.deposit(Deposit { amount: 1 }).await.is_ok() {} };
        let under_way = tokio::spawn(more);
        for number in 0..3 {
            cluster.crash(number);
        }
        under_way.abort();
        cluster.start_again(&folders, 0..3).await;
        let now = accounts(&cluster, 1).await.entity("alice").balance(GetBalance).timeout(DEADLINE).await.unwrap();
        assert!(now >= answered, "{now} is less than {answered}, which was answered");
    }
}

/// Counts.
#[derive(Default)]
struct Tally(u64);

impl StateMachine for Tally {
    type Command = u64;
    type Output = u64;

    fn apply(&mut self, more: u64) -> u64 {
        self.0 += more;
        self.0
    }

    fn snapshot(&self) -> Result<Vec<u8>, BoxError> {
        Ok(self.0.to_le_bytes().to_vec())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
        self.0 = u64::from_le_bytes(snapshot.try_into()?);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_machine_goes_on_when_the_programs_start_it_again() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    for round in 0..3 {
        let starts = cluster.live().map(|(_, node)| async { node.replicate("tally", Tally::default()).await });
        let tallies = try_join_all(starts).await.unwrap();
        assert_eq!(tallies[round].read(|tally| tally.0).await, Ok(round as u64 * 10));
        for n in 1..=10 {
            assert_eq!(tallies[n % 3].apply(1_u64).await, Ok((round * 10 + n) as u64));
        }
        tallies[round].compact().await.unwrap();
        drop(tallies);
        cluster.stop().await;
        cluster.start_again(&folders, 0..3).await;
    }
}
