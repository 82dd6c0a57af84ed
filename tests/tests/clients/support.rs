//! Clients, and what they call.

use std::sync::Arc;
use std::time::Duration;

use casty::prelude::*;
use casty::{Client, ClientConfig, ReplyStream};
use casty_tests::cluster::{Cluster, DEADLINE};
use tokio::sync::Notify;

/// The number that clients have in the test's network: no node has it.
pub(crate) const CLIENT: usize = 99;

/// The settings of a client of this cluster.
pub(crate) fn settings(cluster: &Cluster) -> ClientConfig {
    let seeds = cluster.live().map(|(_, node)| node.address());
    let config = ClientConfig::new(seeds.collect::<Vec<_>>()).tls(Tls::insecure());
    config.ask_timeout(DEADLINE).connect_timeout(DEADLINE).net(cluster.network.of(CLIENT))
}

/// A client of this cluster.
pub(crate) async fn client(cluster: &Cluster) -> Client {
    Client::connect(settings(cluster)).await.unwrap()
}

/// The number of the node that serves a client.
pub(crate) fn gateway(cluster: &Cluster, client: &Client) -> Option<usize> {
    let id = client.connected_to()?;
    cluster.live().find(|(_, node)| node.id() == id).map(|(number, _)| number)
}

/// Gives numbers, none twice.
#[persistent]
pub(crate) struct Counter {
    last: u64,
}

#[actor(name = "clients.Counter")]
impl Counter {
    fn new(_: EntityId) -> Self {
        Self { last: 0 }
    }

    #[message]
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    #[message]
    fn last(&self) -> u64 {
        self.last
    }
}

#[message]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is odd")]
pub(crate) struct Odd(pub(crate) u64);

/// An actor with a name.
#[derive(Default)]
pub(crate) struct Room {
    said: Vec<String>,
    /// Told when it begins to ponder.
    pub(crate) ponders: Arc<Notify>,
}

#[actor(name = "clients.Room")]
impl Room {
    #[message]
    fn say(&mut self, text: String) -> usize {
        self.said.push(text);
        self.said.len()
    }

    #[message]
    fn half(&self, of: u64) -> Result<u64, Odd> {
        if of.is_multiple_of(2) { Ok(of / 2) } else { Err(Odd(of)) }
    }

    #[message]
    fn said(&self) -> ReplyStream<String> {
        ReplyStream::from_iter(self.said.clone())
    }

    /// Never answers.
    #[message]
    async fn ponder(&mut self) -> u64 {
        self.ponders.notify_one();
        std::future::pending().await
    }

    /// Calls back.
    #[message]
    async fn call(&mut self, back: ActorRef<Phone>, text: String) -> bool {
        back.ring(text).timeout(Duration::from_secs(10)).await.is_ok()
    }
}

/// An actor of a client.
#[derive(Default)]
pub(crate) struct Phone {
    pub(crate) rung: Vec<String>,
}

#[actor(name = "clients.Phone")]
impl Phone {
    #[message]
    fn ring(&mut self, text: String) {
        self.rung.push(text);
    }

    #[message]
    fn rung(&self) -> Vec<String> {
        self.rung.clone()
    }
}
