//! Processes that are replaced while clients write: in clusters of several sizes, one of them or all in turn.

use casty::{GroupId, Node, Sharded};
use casty_tests::bank::*;
use casty_tests::cluster::{DEADLINE, config, eventually, node, ready};
use casty_tests::load::Load;
use casty_tests::processes::{Network, Processes};

use super::{alone, setup};

/// Accounts that are written to once, before anything happens.
const ACCOUNTS: u64 = 48;

/// Clients that write all the time.
const CLIENTS: usize = 8;

/// A cluster of processes, and this process as an observer, which holds nothing.
struct Watched {
    processes: Processes,
    observer: Node,
    accounts: Sharded<Account>,
}

impl Watched {
    async fn start(founders: usize) -> Self {
        let processes = Processes::start(Network::loopback(), setup(founders)).await.unwrap();
        let seeds = (0..founders).map(|node| processes.network.address(node));
        let observer = node(config(founders + 1, founders).observer().seeds(seeds)).await;
        ready(&observer).await;
        let accounts = observer.sharded::<Account>("account").start().await.unwrap();
        for amount in 0..ACCOUNTS {
            assert_eq!(accounts.ask(format!("user-{amount}"), Deposit { amount }).await, Ok(amount));
        }
        Self { processes, observer, accounts }
    }

    /// Waits until every data group has so many replicas, as the observer sees it, and is led by the first of them.
    async fn whole(&self, replicas: usize) {
        eventually(DEADLINE, "every group has its replicas and its leader", || {
            let (placements, leaders) = (self.observer.placements(), self.observer.leaders());
            let data = placements.iter().filter(|at| at.group != GroupId::META);
            placements.iter().all(|at| at.settled)
                && data.zip(leaders).all(|(at, (group, leader))| {
                    at.group == group && at.replicas.len() == replicas && at.replicas.first() == leader.as_ref()
                })
        })
        .await;
    }

    /// Every write that was answered is there, and nothing else.
    async fn all_there(&self, written: Vec<(String, u64)>) {
        assert!(written.iter().all(|(_, balance)| *balance > 0), "{written:?}");
        let filled = (0..ACCOUNTS).map(|amount| (format!("user-{amount}"), amount));
        for (id, balance) in filled.chain(written) {
            let found = self.accounts.entity(id.as_str()).balance(GetBalance).timeout(DEADLINE).await;
            assert_eq!(found, Ok(balance), "{id}");
        }
    }
}

/// Kills one of so many, which all the others do without, and has another take its place.
async fn one_is_killed_and_replaced(founders: usize) {
    let _alone = alone().await;
    let mut cluster = Watched::start(founders).await;
    let load = Load::start(&cluster.accounts, CLIENTS);
    let last = founders - 1;
    cluster.processes.kill(last).await.unwrap();
    let before = load.written();
    eventually(DEADLINE, "the others serve on", || load.written() > before + 100).await;
    cluster.processes.restart(last).await.unwrap();
    cluster.whole(3).await;
    // The others do without the next one only because the newcomer counts.
    cluster.processes.kill(0).await.unwrap();
    let before = load.written();
    eventually(DEADLINE, "the others serve on with the newcomer", || load.written() > before + 100).await;
    let written = load.finish().await;
    cluster.all_there(written).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_processes_one_is_killed_and_replaced_and_all_totals_are_right() {
    one_is_killed_and_replaced(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_processes_one_is_killed_and_replaced_and_all_totals_are_right() {
    one_is_killed_and_replaced(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_seven_processes_one_is_killed_and_replaced_and_all_totals_are_right() {
    one_is_killed_and_replaced(7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_processes_are_restarted_one_after_the_other_under_load_and_no_request_fails() {
    let _alone = alone().await;
    let mut cluster = Watched::start(3).await;
    let load = Load::start(&cluster.accounts, CLIENTS);
    for node in 0..3 {
        cluster.processes.leave(node).await.unwrap();
        cluster.whole(2).await;
        cluster.processes.restart(node).await.unwrap();
        cluster.whole(3).await;
    }
    let written = load.finish().await;
    cluster.all_there(written).await;
}
