//! What partitions and bad wires do to what nodes send.

use std::time::Duration;

use casty_tests::processes::node::{Answer, Order};
use casty_tests::processes::{Network, Partition, Processes, Quality};

use super::{alone, namespaces, setup};

/// How long the echo takes with which a node answers another. `None` if it does not come.
async fn echo(processes: &Processes, from: usize, to: usize) -> Option<Duration> {
    let to = processes.address(to).unwrap();
    match processes.tell(from, Order::Ping { to }).await.unwrap() {
        Answer::Echo { us } => us.map(Duration::from_micros),
        other => panic!("{other:?}"),
    }
}

async fn heard(processes: &Processes, by: usize, from: usize) -> u64 {
    let from = processes.address(from).unwrap();
    match processes.tell(by, Order::Heard { from }).await.unwrap() {
        Answer::Heard(datagrams) => datagrams,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_in_one_direction_loses_what_is_sent_in_that_direction_and_nothing_else() {
    if !namespaces("a cut in one direction") {
        return;
    }
    let _alone = alone().await;
    let mut processes = Processes::start(Network::bridged(3).unwrap(), setup(3)).await.unwrap();
    for (from, to) in [(0, 1), (1, 0), (1, 2)] {
        assert!(echo(&processes, from, to).await.is_some(), "{from} reaches {to}");
    }
    processes.network.set(&Partition::one_way(0, 1)).unwrap();
    // Neither gets an echo, but only one of the two pings has arrived.
    assert_eq!(echo(&processes, 0, 1).await, None);
    assert_eq!(echo(&processes, 1, 0).await, None);
    assert_eq!(heard(&processes, 0, 1).await, 2, "what node 1 sent has arrived");
    assert!(echo(&processes, 0, 2).await.is_some() && echo(&processes, 2, 1).await.is_some(), "the third hears both");
    processes.network.heal().unwrap();
    assert!(echo(&processes, 0, 1).await.is_some());
    // Frames keep their order on the bridge: what was lost will not come any more.
    assert_eq!(heard(&processes, 1, 0).await, 2, "what node 0 sent across the cut was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_receive_is_replaced_as_a_leader_and_follows_again_when_it_can() {
    if !namespaces("a node that cannot receive") {
        return;
    }
    let _alone = alone().await;
    let mut processes = Processes::start(Network::bridged(3).unwrap(), setup(3)).await.unwrap();
    processes.network.set(&Partition::deaf(0, 3)).unwrap();
    super::faults::led_by_others_than(&processes, 0, 1).await;
    let deposit = |amount| Order::Deposit { account: "a".into(), amount };
    assert_eq!(processes.tell(1, deposit(1)).await.unwrap(), Answer::Balance(1));
    processes.network.heal().unwrap();
    super::faults::eventually_balance(&processes, 0, "a", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_delays_and_loses_what_it_carries_from_the_moment_that_it_is_told() {
    if !namespaces("a switch that delays and loses") {
        return;
    }
    let _alone = alone().await;
    let network = match Network::switched(3) {
        Ok(network) => network,
        Err(error) => return casty_tests::processes::skipped("a switch that delays and loses", &error.to_string()),
    };
    let mut processes = Processes::start(network, setup(3)).await.unwrap();
    let quick = echo(&processes, 0, 1).await.unwrap();
    let delay = Duration::from_millis(40);
    processes.network.quality(Quality { delay, ..Quality::default() }).unwrap();
    let slow = echo(&processes, 0, 1).await.unwrap();
    assert!(slow >= 2 * delay, "there and back in {slow:?}, and {quick:?} before");
    // A cluster lives with this.
    let deposit = Order::Deposit { account: "a".into(), amount: 1 };
    assert_eq!(processes.tell(2, deposit).await.unwrap(), Answer::Balance(1));
    processes.network.quality_of(1, Quality { loss: 1.0, ..Quality::default() }).unwrap();
    assert_eq!(echo(&processes, 0, 1).await, None);
    assert!(echo(&processes, 0, 2).await.unwrap() >= 2 * delay, "the others' wires are as they were");
    processes.network.set(&Partition::one_way(0, 2)).unwrap();
    processes.network.quality(Quality::default()).unwrap();
    assert!(echo(&processes, 0, 1).await.unwrap() < delay);
    assert_eq!(echo(&processes, 0, 2).await, None, "a partition is one whatever carries the frames");
}
