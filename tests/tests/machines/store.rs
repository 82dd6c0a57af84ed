//! The machine under test: a list of names, in the order in which they came, without repetition unless it is asked for.

use casty::Replicated;
use casty::StateMachine;
use casty::base::BoxError;
use casty_tests::cluster::Cluster;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Put {
    /// Appends a name.
    Name(String),
    /// Panics when it is applied.
    Nonsense,
}

#[derive(Default)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl StateMachine for Names {
    type Command = Put;
    type Output = usize;

    fn apply(&mut self, command: Put) -> usize {
        match command {
            Put::Name(name) => self.0.push(name),
            Put::Nonsense => nonsense(),
        }
        self.0.len()
    }

    fn snapshot(&self) -> Result<Vec<u8>, BoxError> {
        Ok(self.0.join("\n").into_bytes())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
        self.0 = std::str::from_utf8(snapshot)?.lines().map(str::to_owned).collect();
        Ok(())
    }
}

fn nonsense() {
    panic!("a command that makes no sense (this panic belongs to the test)");
}

/// The machine on each of these nodes.
pub(crate) async fn names(cluster: &Cluster, nodes: &[usize]) -> Vec<Replicated<Names>> {
    let all =
        nodes.iter().map(|node| async { cluster.node(*node).replicate("names", Names::default()).await.unwrap() });
    join_all(all).await
}

/// Appends a name through one of the copies.
pub(crate) async fn put(names: &Replicated<Names>, name: impl Into<String>) -> Result<usize, casty::ApplyError> {
    names.apply(Put::Name(name.into())).await
}
