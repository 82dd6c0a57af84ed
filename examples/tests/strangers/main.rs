//! Programs that differ: some nodes of a cluster lack an entity type that the others have.

#![cfg(test)]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use casty::prelude::*;
use casty::{AskError, GroupId};
use tokio::time::{Instant, timeout};

/// How long may pass until the groups are led by the node that has the type.
const DEADLINE: Duration = Duration::from_secs(60);

#[message]
struct Visit;

/// Of this program only: the flights program, which the other nodes run, lacks it.
#[persistent]
struct Museum {
    visitors: u64,
}

#[actor(name = "strangers.Museum")]
impl Museum {
    fn new(_id: EntityId) -> Self {
        Self { visitors: 0 }
    }

    #[handler]
    fn visit(&mut self, _: Visit) -> u64 {
        self.visitors += 1;
        self.visitors
    }
}

/// A node that runs the flights program. It ends with its standard input.
struct Stranger(Child);

impl Stranger {
    fn start(name: &str, seed: &str) -> Self {
        let options = ["node", "--id", name, "--nodes", "3", "--replicas", "3", "--seed", seed];
        let mut program = Command::new(env!("CARGO_BIN_EXE_flights"));
        Self(program.args(options).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_the_type_says_so_and_hands_its_groups_to_one_that_has_it() {
    // A node that founds with others needs a seed; nobody listens at this one.
    let config = ClusterConfig::new("127.0.0.1:0")
        .tls(Tls::insecure())
        .node_id("node-1")
        .expected_size(3)
        .seeds(["127.0.0.1:1"]);
    let node = ActorSystem::cluster(config).await.unwrap();
    let _strangers = [Stranger::start("node-2", &node.address()), Stranger::start("node-3", &node.address())];
    timeout(DEADLINE, node.ready()).await.unwrap().unwrap();
    let museums = node.sharded::<Museum>("museum").start().await.unwrap();

    let deadline = Instant::now() + DEADLINE;
    let mut refusals = Vec::new();
    for group in (1..=12).map(GroupId) {
        let id = (0..).map(|n| format!("museum-{n}")).find(|id| museums.group_of(id) == group).unwrap();
        loop {
            match museums.ask(id.as_str(), Visit).await {
                Ok(visitors) => break assert_eq!(visitors, 1, "a refused request was applied"),
                Err(AskError::Unavailable { reason }) => refusals.push(reason),
                Err(other) => panic!("{group:?}: {other}"),
            }
            assert!(Instant::now() < deadline, "{group:?} stays where nobody knows its entities: {refusals:?}");
            tokio::task::yield_now().await;
        }
    }
    let reason = refusals.first().expect("the strangers led groups at first");
    for part in ["museum", "strangers.Museum", "node", "linked"] {
        assert!(reason.contains(part), "{part:?} is missing in {reason:?}");
    }
    node.shutdown().await;
}
