//! Clusters of real nodes on loopback, within one process.

use std::time::Duration;

use casty::{ActorSystem, ClusterConfig, Node};

/// How long a test waits for something that must happen.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Starts `size` nodes on free ports, and waits until they are ready. The first is the seed of the others.
pub async fn start(size: usize) -> Vec<Node> {
    let mut nodes = vec![node(config(1, size)).await];
    for number in 2..=size {
        nodes.push(node(config(number, size).seeds([nodes[0].address()])).await);
    }
    for node in &nodes {
        ready(node).await;
    }
    nodes
}

/// The settings of node number `number` of `size`.
pub fn config(number: usize, size: usize) -> ClusterConfig {
    let config = ClusterConfig::new("127.0.0.1:0").node_id(format!("node-{number}")).expected_size(size);
    // A node that founds alone has no seeds.
    if size > 1 { config.seeds(["127.0.0.1:1"]) } else { config }
}

/// Starts a node. What it logs is shown if `RUST_LOG` asks for it.
pub async fn node(config: ClusterConfig) -> Node {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    ActorSystem::cluster(config).await.unwrap_or_else(|error| unreachable!("the node does not start: {error}"))
}

/// Waits until `node` is ready.
pub async fn ready(node: &Node) {
    let ready = tokio::time::timeout(DEADLINE, node.ready()).await;
    assert!(matches!(ready, Ok(Ok(()))), "{} is not ready: {ready:?}", node.id());
}
