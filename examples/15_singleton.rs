//! Configuration that one actor of the whole cluster holds: `cargo run --example 15_singleton`. The node that it runs on dies,
//! and another one takes it over with all that was set.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::time::Duration;

use casty::prelude::*;
use casty::sharding::slot_of;
use casty::{GroupId, NodeId};
use futures_util::future::try_join_all;

/// The settings of the program. `version` grows with each change, and never goes back.
#[persistent]
struct Configuration {
    version: u64,
    settings: BTreeMap<String, String>,
}

#[actor]
impl Configuration {
    fn new(_id: EntityId) -> Self {
        Self { version: 0, settings: BTreeMap::new() }
    }

    /// It runs from its start on, called or not.
    fn on_start(&mut self) -> Result<(), BoxError> {
        println!("  the configuration starts with version {}", self.version);
        Ok(())
    }

    /// Changes a setting, and tells the version that has it. It is on a majority of the nodes by then.
    #[message]
    fn set(&mut self, key: String, value: String) -> u64 {
        self.settings.insert(key, value);
        self.version += 1;
        self.version
    }

    #[message]
    fn get(&self, key: String) -> Option<String> {
        self.settings.get(&key).cloned()
    }

    #[message]
    fn version(&self) -> u64 {
        self.version
    }
}

/// The node that the singleton runs on: the one that leads its group. A program need not know; this one wants to kill it.
fn home(seen_by: &Node, name: &str) -> Option<NodeId> {
    let leaders = seen_by.leaders();
    let groups = u32::try_from(leaders.len()).ok()?;
    let group = GroupId(1 + u16::try_from(slot_of(name, 0) % groups).ok()?);
    leaders.into_iter().find(|(id, _)| *id == group)?.1
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut nodes: Vec<Node> = Vec::new();
    for number in 1..=3 {
        let seed = nodes.first().map_or("127.0.0.1:1".to_owned(), Node::address);
        let config = ClusterConfig::new("127.0.0.1:0").node_id(format!("node-{number}"));
        let config = config.expected_size(3).seeds([seed]).tls(Tls::insecure());
        nodes.push(ActorSystem::cluster(config).await?);
    }
    for node in &nodes {
        node.ready().await?;
    }

    // Every node starts it, and there is one all the same.
    let mut configs = try_join_all(nodes.iter().map(|node| node.singleton::<Configuration>("config").start())).await?;
    let changes = configs.iter().enumerate().map(|(n, config)| config.set(format!("limit-{n}"), (100 * n).to_string()));
    let mut versions = try_join_all(changes).await?;
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3], "one actor has counted them");

    let old = home(&nodes[0], "config").ok_or("the singleton runs nowhere")?;
    println!("three nodes have set something; {old}, where the configuration lives, dies");
    let dead = nodes.iter().position(|node| node.id() == old).ok_or("its node is none of ours")?;
    drop((nodes.remove(dead), configs.remove(dead)));

    // Calls wait until another node has taken it over.
    let patience = Duration::from_secs(20);
    assert_eq!(configs[0].version().timeout(patience).await?, 3);
    for (n, limit) in ["0", "100", "200"].into_iter().enumerate() {
        assert_eq!(configs[1].get(format!("limit-{n}")).timeout(patience).await?.as_deref(), Some(limit));
    }
    assert_eq!(configs[1].set("colour".to_owned(), "blue".to_owned()).timeout(patience).await?, 4);
    assert_eq!(configs[0].get("colour".to_owned()).await?.as_deref(), Some("blue"));
    let new = home(&nodes[0], "config").ok_or("the singleton runs nowhere")?;
    assert_ne!(new, old);
    println!("{new} has taken it over, with all that was set; it is at version 4");
    for node in &nodes {
        node.shutdown().await;
    }
    Ok(())
}
