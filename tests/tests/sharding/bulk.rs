//! Consensus waits for no user's bytes.

use std::collections::BTreeMap;

use casty::GroupId;
use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE};
use futures_util::future::join_all;
use tokio::time::timeout;

/// How much each message carries.
const MESSAGE_BYTES: usize = 1 << 20;

/// How many there are: 64 MiB from each of three nodes.
const MESSAGES: usize = 64;

/// What each connection carries: whatever waited for all of these messages would wait for seconds.
const BYTES_A_SECOND: usize = 16 << 20;

/// Takes much and keeps its length.
#[persistent]
struct Sink {
    bytes: u64,
}

#[actor(name = "sharding.Sink")]
impl Sink {
    fn new(_: EntityId) -> Self {
        Self { bytes: 0 }
    }

    #[message]
    fn pour(&mut self, much: String) -> u64 {
        self.bytes += much.len() as u64;
        self.bytes
    }
}

/// The term of each group, as all its replicas have it.
fn terms(cluster: &Cluster) -> BTreeMap<(usize, GroupId), u64> {
    cluster.statuses().into_iter().map(|(replica, status)| (replica, status.term)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_mib_of_messages_from_each_node_bring_no_election() {
    let cluster = Cluster::start(3).await;
    let sinks = cluster.sharded::<Sink>("sink").await;
    cluster.quiet().await;
    let before = terms(&cluster);
    cluster.network.slow_down(BYTES_A_SECOND);
    let leaders = cluster.node(0).leaders();
    let much = "x".repeat(MESSAGE_BYTES);
    let pouring = sinks.iter().enumerate().flat_map(|(node, sinks)| {
        let much = &much;
        (0..MESSAGES).map(move |n| {
            let sink = sinks.entity(format!("{node}-{n}"));
            async move { sink.pour(much.clone()).timeout(DEADLINE).await }
        })
    });
    let poured = timeout(DEADLINE, join_all(pouring)).await.unwrap();
    assert!(poured.iter().all(|answer| *answer == Ok(MESSAGE_BYTES as u64)), "{poured:?}");
    assert_eq!(terms(&cluster), before);
    assert_eq!(cluster.node(0).leaders(), leaders);
}
