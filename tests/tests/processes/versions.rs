//! A cluster whose program is replaced by the next version of it.

#[path = "../../src/bin/casty-test-node/meter.rs"]
mod meter;

use casty_tests::cluster::{DEADLINE, config, eventually, node, ready};
use casty_tests::load::Load;
use casty_tests::meter::{Advance, Describe};
use casty_tests::processes::{Network, Processes, Setup};
use meter::Meter;

use super::{alone, setup};

/// Meters that are written to by the first version only.
const RESTING: u64 = 24;

/// Clients that write all the time.
const CLIENTS: usize = 8;

/// State that the one version has written is read by the other, in the files of the nodes and in what they send each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_version_takes_the_place_of_a_program_node_by_node_under_load_and_no_request_fails() {
    let _alone = alone().await;
    let setup = Setup { durable: true, ..setup(3) };
    let mut processes = Processes::start(Network::loopback(), setup).await.unwrap();
    // This process asks as the first version did, to the end.
    let seeds = (0..3).map(|node| processes.network.address(node));
    let observer = node(config(4, 3).observer().seeds(seeds)).await;
    ready(&observer).await;
    let meters = observer.sharded::<Meter>("meter").start().await.unwrap();
    for by in 0..RESTING {
        assert_eq!(meters.ask(format!("resting-{by}"), Advance { by }).await, Ok(by));
        assert_eq!(meters.ask(format!("resting-{by}"), Describe).await, Ok(by.to_string()));
    }
    let asked = meters.clone();
    let load = Load::of(CLIENTS, move |id| {
        let meter = asked.entity(id);
        async move { meter.ask(Advance { by: 1 }).await }
    });
    processes.use_program(env!("CARGO_BIN_EXE_casty-test-node-next"));
    for node in 0..3 {
        processes.stop(node).await.unwrap();
        let before = load.written();
        eventually(DEADLINE, "the two others serve on", || load.written() > before + 100).await;
        processes.restart(node).await.unwrap();
        let before = load.written();
        eventually(DEADLINE, "all serve on, of whichever version they are", || load.written() > before + 100).await;
    }
    let written = load.finish().await;
    let resting = (0..RESTING).map(|count| (format!("resting-{count}"), count));
    for (id, count) in resting.chain(written) {
        assert_eq!(meters.ask(id.as_str(), Describe).await, Ok(format!("{count} kWh")), "{id}");
    }
}
