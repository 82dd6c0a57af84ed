//! What the harness and a node say to each other: one value a line, as JSON.

use std::net::SocketAddr;

use casty::testkit::workload::Notes;
use serde::{Deserialize, Serialize};

/// What the harness tells a node to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Say how you see the cluster.
    Status,
    /// Pay money into an account; the answer is its [`Answer::Balance`].
    Deposit {
        /// The account.
        account: String,
        /// How much.
        amount: u64,
    },
    /// Look into an account; the answer is its [`Answer::Balance`].
    Balance {
        /// The account.
        account: String,
    },
    /// Send a datagram to another node, past all that casty does, and wait a moment for its echo: [`Answer::Echo`].
    Ping {
        /// The address of the other node.
        to: SocketAddr,
    },
    /// Say how many datagrams came from another node, echoes not counted: [`Answer::Heard`].
    Heard {
        /// The address of the other node.
        from: SocketAddr,
    },
    /// Start clients, which write down what they see.
    Begin {
        /// How many.
        clients: u64,
    },
    /// Have the clients finish, and say what they noted besides: [`Answer::Finished`].
    Finish,
    /// Read every object of the workload, and write that down, too: [`Answer::Silent`].
    LastLook,
    /// Have every sync of a file fail from now on, as a disk that is broken does.
    FailSyncs,
    /// Leave the cluster for good: hand over what you hold, and stop to be a node. The process goes on until it is stopped.
    Leave,
    /// Shut down in order, and end.
    Stop,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It is done.
    Done,
    /// How a node sees the cluster.
    Status(Status),
    /// The balance of an account.
    Balance(u64),
    /// How long the echo took. `None` if it did not come.
    Echo {
        /// In microseconds.
        us: Option<u64>,
    },
    /// How many datagrams came.
    Heard(u64),
    /// The clients have finished.
    Finished(Notes),
    /// The ids of the objects that did not answer.
    Silent(Vec<String>),
    /// It could not be done.
    Failed {
        /// Why.
        why: String,
    },
}

/// How a node sees the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The names of those that are alive.
    pub members: Vec<String>,
    /// The leader of each group, the meta group first.
    pub leaders: Vec<Option<String>>,
    /// Of how many groups it holds a replica.
    pub replicas: usize,
    /// Whether every group is where it is to be, as far as the node has heard: no replica is being replaced.
    pub settled: bool,
    /// How many replicas that data group has which has fewest; 0 while the node has heard of none.
    pub fewest: usize,
}

/// An order with a number, or the answer to the order with this number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Numbered<T> {
    /// The number.
    pub number: u64,
    /// What is told.
    pub what: T,
}

/// What a node says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Said {
    /// It takes part.
    Ready,
    /// What came of an order.
    Answer(Numbered<Answer>),
}
