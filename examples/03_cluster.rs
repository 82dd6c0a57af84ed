//! Three nodes, an entity that is called from each, and a node that is lost: `cargo run --example 03_cluster`.
//!
//! The nodes share a process here, so that the example needs no second terminal. In earnest each is a process on a
//! machine of its own, and nothing but the addresses changes.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;
use tracing_subscriber::EnvFilter;

#[message]
struct Count;

#[message]
struct GetTotal;

/// All of it is state: it is replicated to three nodes.
#[persistent]
struct Visits {
    total: u64,
}

#[actor]
impl Visits {
    /// Entities are made from their id, by the first message to them.
    fn new(_id: EntityId) -> Self {
        Self { total: 0 }
    }

    /// A write: the answer comes once a majority of the replicas has the new total.
    #[handler]
    fn count(&mut self, _: Count) -> u64 {
        self.total += 1;
        self.total
    }

    /// A read: it sees every write that was answered before it.
    #[handler]
    fn total(&self, _: GetTotal) -> u64 {
        self.total
    }
}

/// A node that waits for two others. Port 0 is any free port. On one machine, links may be plaintext: see `12_tls_cluster`.
fn config(name: &str) -> ClusterConfig {
    ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure()).node_id(name).expected_size(3)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // The consensus library warns at every heartbeat that a dead node does not get: hence its own level.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,openraft=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    // The first node needs to know nobody; the others find the cluster through it.
    let first = ActorSystem::cluster(config("node-1")).await?;
    let second = ActorSystem::cluster(config("node-2").seeds([first.address()])).await?;
    let third = ActorSystem::cluster(config("node-3").seeds([first.address()])).await?;
    let mut nodes = vec![first, second, third];

    // Each node asks for the same entity, and reaches the same instance.
    for node in &nodes {
        node.ready().await?;
        let visits = node.sharded::<Visits>("visits").start().await?;
        println!("{} counts visit {}", node.id(), visits.entity("front-page").count(Count).await?);
    }

    // The node that runs the entity goes away without a word, as in a crash.
    let visits = nodes[0].sharded::<Visits>("visits").start().await?;
    let group = visits.group_of("front-page");
    let leaders = nodes[0].leaders();
    let runs_it = leaders.into_iter().find(|(id, _)| *id == group).and_then(|(_, leader)| leader);
    if let Some(place) = nodes.iter().position(|node| Some(node.id()) == runs_it) {
        println!("{} runs the entity, and is lost", nodes.remove(place).id());
    }

    // Another node has its state, and takes over. The calls below wait for it: no more than a second.
    for node in &nodes {
        let visits = node.sharded::<Visits>("visits").start().await?;
        println!("{} still knows of {} visits", node.id(), visits.entity("front-page").total(GetTotal).await?);
        println!("{} counts visit {}", node.id(), visits.entity("front-page").count(Count).await?);
    }
    for node in &nodes {
        node.shutdown().await;
    }
    Ok(())
}
