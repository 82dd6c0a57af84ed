//! Links: one between any two nodes, which both send on. The node with the smaller key dials, so the two never have to agree on
//! which of two links to keep; the other asks to be dialled if it is not.
//!
//! A link is two connections, its *lanes*: one for control and one for bulk. Nothing on the one waits for anything on the other,
//! not in a buffer of the system either. The dialler opens control first and then bulk, which names the link by its nonce; the
//! link is open while both are, and when either ends, both do.

mod door;
mod gathering;
mod handshake;
mod keep;
mod link;
mod links;
mod listen;
mod noted;
mod outbox;
mod peers;
mod reader;
mod seeds;
mod writer;

pub(super) use keep::{Caller, keep};
pub(super) use links::Links;
pub(super) use listen::listen;
pub(super) use noted::Noted;
pub use outbox::Lane;
pub(super) use outbox::{Bounds, Outbox};
pub(super) use peers::PeerTable;
pub(super) use seeds::{Seeds, discover};

pub(super) use handshake::{Greeted, Guest, Writer, within};
#[cfg(test)]
pub(super) use handshake::{greet, receive};
pub(super) use writer::write_frames;
