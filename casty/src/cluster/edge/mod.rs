//! Clients: peers that call the cluster without being nodes of it.
//!
//! A client has one connection, to any node, and frames go both ways on it. To the layers above it is a peer like others, with a
//! key of its own; that its frames come by way of a node is known here and nowhere else. Each frame bears whom it is for, or
//! from ([`Envelope`]). The client's node passes those for others on, and every node remembers by whose hands a client's frames
//! came ([`Clients`]), so that what it says to the client goes back that way.
//!
//! A client that has lost its node connects to another. Its connections are numbered: what was still under way on an earlier
//! one is late, and is dropped.

mod clients;
mod envelope;
mod news;
mod serve;
mod uplink;

pub(super) use clients::{Clients, Served};
#[cfg(any(feature = "sim", test))]
pub(crate) use envelope::Envelope;
#[cfg(feature = "sim")]
pub(crate) use envelope::Relayed;
#[cfg(feature = "sim")]
pub(crate) use news::{Departed, News};
pub(super) use serve::{relayed, serve};
pub(crate) use uplink::Uplink;

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::Timings;
use super::limits::CLIENT_BYTES_MAX;
use super::transport::{Bounds, Lane, Outbox, Writer, write_frames};
use crate::wire::{FRAME_BYTES_MAX, Kind};

/// An idle connection of a client carries pings this often: there may be thousands of them, from far away.
const PING_EVERY: Duration = Duration::from_secs(1);

/// A connection of a client without a byte for so long is closed.
const SILENCE_MAX: Duration = Duration::from_secs(4);

/// What waits to be written on one side of a client's connection.
fn outbox() -> Outbox {
    Outbox::new(Lane::Bulk, Bounds { frame: FRAME_BYTES_MAX, all: CLIENT_BYTES_MAX })
}

/// Writes what waits on one side of a client's connection until that fails, and says why. Once the outbox is sealed and all is written, it
/// says that no more comes, and waits for ever: the other end closes when it has read all, and to close this one first could lose what is
/// on its way.
async fn write(mut writer: Writer, outbox: &Outbox, timings: &Timings) -> io::Error {
    let writing = async {
        write_frames(&mut writer, outbox, timings).await?;
        writer.shutdown().await
    };
    match writing.await {
        Ok(()) => pending().await,
        Err(error) => error,
    }
}

/// How fast the connection of a client is given up.
fn timings(of_links: &Timings) -> Timings {
    Timings { ping_every: PING_EVERY, silence_max: SILENCE_MAX, ..of_links.clone() }
}

/// Whether frames of this kind go between clients and nodes. Consensus, membership and what nodes agree on do not.
fn may_pass(kind: Kind) -> bool {
    const PASSING: [Kind; 8] =
        [Kind::ENTITY, Kind::REPLY, Kind::DESK, Kind::CALL, Kind::ANSWER, Kind::ACTOR, Kind::ITEM, Kind::TOPIC];
    PASSING.contains(&kind)
}

/// Whether they go on to, or come from, other nodes than the client's. The desk is that of its own node.
fn may_be_relayed(kind: Kind) -> bool {
    may_pass(kind) && kind != Kind::DESK
}
