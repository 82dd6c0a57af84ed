//! What is done to processes, on every machine: killed, stopped, started again.

use std::time::Duration;

use casty_tests::processes::node::{Answer, Order};
use casty_tests::processes::{HarnessError, Network, Processes};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{alone, setup};

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_secs(20);

/// How long a process is watched that must not answer.
const SILENCE: Duration = Duration::from_millis(300);

/// Asks a node again and again, until the answer is the awaited one.
async fn eventually(processes: &Processes, node: usize, order: Order, what: &str, awaited: impl Fn(&Answer) -> bool) {
    let begun = Instant::now();
    let mut looks = interval(Duration::from_millis(20));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let answer = processes.tell(node, order.clone()).await;
        if answer.as_ref().is_ok_and(&awaited) {
            return;
        }
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}; the last answer was {answer:?}");
    }
}

/// Waits until a node knows leaders of all groups, and the other is none of them.
pub(super) async fn led_by_others_than(processes: &Processes, other: usize, seen_by: usize) {
    let name = processes.process(other).map_or_else(|_| format!("node-{}", other + 1), |node| node.name().to_owned());
    eventually(processes, seen_by, Order::Status, "others lead all groups", |answer| {
        let Answer::Status(status) = answer else { return false };
        status.leaders.iter().all(|leader| leader.as_ref().is_some_and(|leader| *leader != name))
    })
    .await;
}

/// Waits until a node sees this balance.
pub(super) async fn eventually_balance(processes: &Processes, node: usize, account: &str, balance: u64) {
    let order = Order::Balance { account: account.into() };
    eventually(processes, node, order, "the balance", |answer| *answer == Answer::Balance(balance)).await;
}

async fn deposit(processes: &Processes, node: usize, account: &str) -> u64 {
    match processes.tell(node, Order::Deposit { account: account.into(), amount: 1 }).await.unwrap() {
        Answer::Balance(balance) => balance,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_a_killed_process_whose_successor_takes_its_replicas_over() {
    let _alone = alone().await;
    let mut processes = Processes::start(Network::loopback(), setup(3)).await.unwrap();
    assert_eq!(deposit(&processes, 0, "a").await, 1);
    let held = processes.status(0).await.unwrap().replicas;
    processes.kill(0).await.unwrap();
    assert!(matches!(processes.status(0).await, Err(HarnessError::NotRunning { .. })));
    assert_eq!(processes.running(), [1, 2]);
    led_by_others_than(&processes, 0, 1).await;
    assert_eq!(deposit(&processes, 1, "a").await, 2);
    processes.restart(0).await.unwrap();
    let status = processes.status(0).await.unwrap();
    assert!(status.settled && status.replicas == held && held > 1, "{status:?}");
    assert_eq!(deposit(&processes, 0, "a").await, 3);
    // It counts, so another may be lost.
    processes.kill(1).await.unwrap();
    eventually_balance(&processes, 0, "a", 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_process_does_nothing_and_goes_on_where_it_stood() {
    let _alone = alone().await;
    let processes = Processes::start(Network::loopback(), setup(3)).await.unwrap();
    assert_eq!(deposit(&processes, 0, "a").await, 1);
    let paused = processes.process(0).unwrap();
    paused.pause().unwrap();
    assert!(matches!(paused.tell(Order::Status, SILENCE).await, Err(HarnessError::Late { .. })));
    led_by_others_than(&processes, 0, 1).await;
    assert_eq!(deposit(&processes, 1, "a").await, 2);
    paused.resume().unwrap();
    eventually_balance(&processes, 0, "a", 2).await;
    assert!(processes.status(0).await.unwrap().replicas > 0, "it is the replica that it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stops_in_order_ends_well_and_the_others_go_on() {
    let _alone = alone().await;
    let mut processes = Processes::start(Network::loopback(), setup(3)).await.unwrap();
    processes.stop(2).await.unwrap();
    led_by_others_than(&processes, 2, 0).await;
    assert_eq!(deposit(&processes, 0, "a").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_leaves_takes_nothing_along() {
    let _alone = alone().await;
    let mut processes = Processes::start(Network::loopback(), setup(3)).await.unwrap();
    assert_eq!(deposit(&processes, 2, "a").await, 1);
    processes.leave(2).await.unwrap();
    let status = processes.status(0).await.unwrap();
    assert_eq!((status.settled, status.fewest), (true, 2), "{status:?}");
    assert_eq!(deposit(&processes, 0, "a").await, 2);
}

#[tokio::test]
async fn a_process_that_ends_by_itself_is_named_with_the_end_of_its_log() {
    let mut setup = setup(1);
    setup.replicas = 2;
    let failed = Processes::start(Network::loopback(), setup).await.unwrap_err();
    let HarnessError::Ended { node, log, .. } = &failed else { panic!("{failed}") };
    assert_eq!(node, "node-1");
    assert!(log.to_string().contains("replicas"), "{log}");
}
