//! Every place where bytes of a peer become values, each as a function of the bytes.
//!
//! Each decodes as a node does, and asserts what is promised of bytes from the network: nothing panics; what was decoded is
//! encoded and decoded to the same; a body with a byte more is refused. It returns whether the bytes were taken. Fuzz
//! targets and property tests call exactly these, so a finding of one is a test of the other. What they cannot assert by
//! themselves, how much memory is taken, `tests/tests/allocation.rs` measures around them.

mod actors;
mod clients;
mod consensus;
mod links;
mod nodes;
mod remote;
mod whole;

pub use actors::{message, message_sample, state, state_sample};
pub use clients::{client_word, relayed};
pub use consensus::{consensus, log_entry, rows, snapshot};
pub use links::{compressed, frame, gossip, handshake};
pub use nodes::{announcement, control, machine, to_region, to_router};
pub use remote::{actor_word, answer, call, published};

/// A decoder of casty's own, with what belongs to it.
#[derive(Clone, Copy)]
pub struct Decoder {
    /// The name of its function, and of its fuzz target.
    pub name: &'static str,
    /// Decodes, asserts, and says whether the bytes were taken.
    pub run: fn(&[u8]) -> bool,
    /// Bytes that it takes: at least one of each form that there is.
    pub samples: fn() -> Vec<Vec<u8>>,
}

/// All decoders but those of messages and states, which belong to an actor.
pub const ALL: &[Decoder] = &[
    Decoder { name: "frame", run: frame, samples: links::frames },
    Decoder { name: "compressed", run: compressed, samples: links::shrunk },
    Decoder { name: "handshake", run: handshake, samples: links::words },
    Decoder { name: "gossip", run: gossip, samples: crate::cluster::samples },
    Decoder { name: "consensus", run: consensus, samples: crate::raft::samples },
    Decoder { name: "log_entry", run: log_entry, samples: consensus::entries },
    Decoder { name: "snapshot", run: snapshot, samples: consensus::snapshots },
    Decoder { name: "rows", run: rows, samples: consensus::batches },
    Decoder { name: "to_region", run: to_region, samples: nodes::calls },
    Decoder { name: "to_router", run: to_router, samples: nodes::words },
    Decoder { name: "control", run: control, samples: nodes::controls },
    Decoder { name: "announcement", run: announcement, samples: nodes::announcements },
    Decoder { name: "machine", run: machine, samples: nodes::machine_words },
    Decoder { name: "client_word", run: client_word, samples: clients::words },
    Decoder { name: "relayed", run: relayed, samples: clients::frames },
    Decoder { name: "call", run: call, samples: remote::calls },
    Decoder { name: "answer", run: answer, samples: remote::answers },
    Decoder { name: "actor_word", run: actor_word, samples: remote::words },
    Decoder { name: "published", run: published, samples: remote::publications },
];
