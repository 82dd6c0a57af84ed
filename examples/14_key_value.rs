//! A replicated key-value store on three nodes: `cargo run --example 14_key_value`. It sets, deletes, compares and sets, tells
//! watchers on every node of each change in one order, and loses its leader on the way.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;

use casty::prelude::*;
use casty::{Replicated, StateMachine, Topic};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

/// What changes the store.
#[derive(Serialize, Deserialize)]
enum Command {
    /// Gives the key a value, or none.
    Set { key: String, value: Option<String> },
    /// The same, if the key has the expected value, or none.
    CompareAndSet { key: String, expected: Option<String>, value: Option<String> },
}

/// What became of a command.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Outcome {
    done: bool,
    before: Option<String>,
}

/// A key has another value now, or none.
#[message(local)]
#[derive(Clone)]
struct Change {
    key: String,
    value: Option<String>,
}

/// One copy of the store. The entries are the state; the topic belongs to the node.
struct Store {
    entries: BTreeMap<String, String>,
    changes: Topic<Change>,
}

impl Store {
    fn put(&mut self, key: String, value: Option<String>) -> Option<String> {
        let before = match value.clone() {
            Some(value) => self.entries.insert(key.clone(), value),
            None => self.entries.remove(&key),
        };
        if before != value {
            self.changes.publish(Change { key, value });
        }
        before
    }
}

impl StateMachine for Store {
    type Command = Command;
    type Output = Outcome;

    fn apply(&mut self, command: Command) -> Outcome {
        match command {
            Command::Set { key, value } => Outcome { before: self.put(key, value), done: true },
            Command::CompareAndSet { key, expected, value } => {
                let before = self.entries.get(&key).cloned();
                let done = before == expected;
                if done {
                    self.put(key, value);
                }
                Outcome { done, before }
            }
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, BoxError> {
        Ok(serde_json::to_vec(&self.entries)?)
    }

    /// A copy that lacked more than the log still had tells its watchers what differs, key by key.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
        let entries: BTreeMap<String, String> = serde_json::from_slice(snapshot)?;
        let gone: Vec<_> = self.entries.keys().filter(|key| !entries.contains_key(*key)).cloned().collect();
        for key in gone {
            self.put(key, None);
        }
        for (key, value) in entries {
            self.put(key, Some(value));
        }
        Ok(())
    }
}

/// The store, as one node's program uses it.
#[derive(Clone)]
struct KeyValue {
    copy: Replicated<Store>,
    changes: Topic<Change>,
}

impl KeyValue {
    async fn start(node: &Node) -> Result<Self, BoxError> {
        let changes = ActorSystem::topic::<Change>(node, "kv.changes")?;
        let store = Store { entries: BTreeMap::new(), changes: changes.clone() };
        Ok(Self { copy: node.replicate("kv", store).await?, changes })
    }

    async fn set(&self, key: &str, value: &str) -> Result<Option<String>, BoxError> {
        let (key, value) = (key.to_owned(), Some(value.to_owned()));
        Ok(self.copy.apply(Command::Set { key, value }).await?.before)
    }

    async fn delete(&self, key: &str) -> Result<Option<String>, BoxError> {
        Ok(self.copy.apply(Command::Set { key: key.to_owned(), value: None }).await?.before)
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&str>, value: &str) -> Result<Outcome, BoxError> {
        let (key, expected, value) = (key.to_owned(), expected.map(str::to_owned), Some(value.to_owned()));
        Ok(self.copy.apply(Command::CompareAndSet { key, expected, value }).await?)
    }

    /// Linearizable: whatever was answered before, on any node, is seen.
    async fn get(&self, key: &str) -> Result<Option<String>, BoxError> {
        Ok(self.copy.read(|store| store.entries.get(key).cloned()).await?)
    }

    /// Counts up to `times` further, beside others who do the same.
    async fn count(&self, key: &str, times: usize) -> Result<(), BoxError> {
        for _ in 0..times {
            let mut seen = self.get(key).await?;
            loop {
                let next = seen.as_deref().unwrap_or("0").parse::<u64>()? + 1;
                let outcome = self.compare_and_set(key, seen.as_deref(), &next.to_string()).await?;
                if outcome.done {
                    break;
                }
                seen = outcome.before;
            }
        }
        Ok(())
    }
}

/// Writes down what changes, in the order in which this node's copy applies it.
#[derive(Default)]
struct Watcher {
    seen: Vec<String>,
}

#[actor(local)]
impl Watcher {
    #[handler]
    fn note(&mut self, change: Change) {
        self.seen.push(format!("{}={}", change.key, change.value.unwrap_or_default()));
    }

    #[message]
    fn seen(&self) -> Vec<String> {
        self.seen.clone()
    }
}

/// Waits until the watcher has seen this change, and returns all that it saw.
async fn seen(watcher: &ActorRef<Watcher>, last: &str) -> Result<Vec<String>, BoxError> {
    loop {
        let seen = watcher.seen().await?;
        if seen.iter().any(|change| change == last) {
            return Ok(seen);
        }
        tokio::task::yield_now().await;
    }
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

    // Every node has a copy: the store begins when a majority of them does.
    let mut stores = try_join_all(nodes.iter().map(KeyValue::start)).await?;
    let mut watchers = Vec::new();
    for (node, store) in nodes.iter().zip(&stores) {
        let watcher = node.spawn(Watcher::default()).await?;
        assert!(store.changes.subscribe(&watcher));
        watchers.push(watcher);
    }

    assert_eq!(stores[0].set("colour", "red").await?, None);
    assert_eq!(stores[1].get("colour").await?.as_deref(), Some("red"));
    assert!(stores[1].compare_and_set("colour", Some("red"), "blue").await?.done);
    let late = stores[2].compare_and_set("colour", Some("red"), "green").await?;
    assert_eq!(late, Outcome { done: false, before: Some("blue".to_owned()) });
    println!("red became blue, so it is not red that becomes green");
    assert_eq!(stores[2].delete("colour").await?.as_deref(), Some("blue"));
    assert_eq!(stores[0].get("colour").await?, None);

    // The leader dies; the two others count on, both at once.
    let leader = stores.iter().position(|store| store.copy.is_leader()).ok_or("nobody leads the store")?;
    println!("{} leads the store, and dies", nodes[leader].id());
    drop((nodes.remove(leader), stores.remove(leader), watchers.remove(leader)));
    try_join_all(stores.iter().map(|store| store.count("visits", 10))).await?;
    for store in &stores {
        assert_eq!(store.get("visits").await?.as_deref(), Some("20"), "no visit is lost, and none is counted twice");
    }
    println!("{} leads it now; visits: 20", stores[0].copy.leader_id().ok_or("nobody leads the store")?);

    let (first, second) = (seen(&watchers[0], "visits=20").await?, seen(&watchers[1], "visits=20").await?);
    assert_eq!(first, second, "every copy tells the same, in the same order");
    assert_eq!(first[..4], ["colour=red", "colour=blue", "colour=", "visits=1"]);
    println!("the watchers of both nodes saw {} changes: {} ...", first.len(), first[..4].join(", "));
    for node in &nodes {
        node.shutdown().await;
    }
    Ok(())
}
