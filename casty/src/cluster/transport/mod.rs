//! Links: one connection for each direction between two nodes. A node sends on the connections that it dialled and
//! receives on those that it accepted, so two nodes never have to agree on which of two connections to keep.

mod dial;
mod door;
mod handshake;
mod links;
mod listen;
mod noted;
mod outbox;
mod peers;
mod reader;
mod seeds;
mod writer;

pub(super) use dial::dial;
pub(super) use links::Links;
pub(super) use listen::listen;
pub(super) use noted::Noted;
pub use outbox::Lane;
pub(super) use peers::PeerTable;
pub(super) use seeds::{Seeds, follow_seed};

#[cfg(test)]
pub(super) use handshake::{Greeted, Reader, Writer, greet, receive};
