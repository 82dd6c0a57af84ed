//! A link, from the moment at which both of its connections stand to its end. It is the same at either end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::handshake::Writer;
use super::links::Lanes;
use super::outbox::Lane;
use super::peers::Connection;
use super::reader::LaneReader;
use super::writer::write_frames;
use crate::cluster::PeerEvent;
use crate::cluster::membership::Input;
use crate::cluster::mesh::Mesh;
use crate::wire::{FRAME_BYTES_MAX, Features, Member};

/// A link with a peer, of which both connections stand.
pub(super) struct Link {
    pub(super) mesh: Arc<Mesh>,
    pub(super) peer: Member,
    pub(super) control: Connection,
    pub(super) bulk: Connection,
    /// Ends the link, and is cancelled when it ends.
    pub(super) over: CancellationToken,
}

impl Link {
    /// Carries frames both ways until either end leaves or a connection breaks, and then nothing more: when it returns, all that
    /// came has been handed on.
    pub(super) async fn carry(self) {
        let Self { mesh, peer, control, bulk, over } = self;
        let (key, version) = (peer.key, bulk.terms.version);
        let understood = bulk.terms.features.contains(Features::LZ4);
        let lanes = Arc::new(Lanes::new(mesh.compression.above().filter(|_| understood)));
        let open = mesh.links.open(key, lanes.clone());
        if mesh.leaving.is_cancelled() {
            lanes.seal();
        }
        tracing::debug!(%peer, version, "linked");
        mesh.tell(PeerEvent::LinkUp(key));
        // It fails when the membership task has ended, and then nobody needs to know.
        let _ = mesh.gossip.send(Input::LinkUp(peer.clone())).await;
        let read = |Connection { terms, mut reader, writer }| {
            reader.set_bytes_max(FRAME_BYTES_MAX);
            let lane = LaneReader { mesh: mesh.clone(), from: peer.clone(), terms, over: over.clone() };
            (mesh.tasks.spawn(lane.read(reader)), writer)
        };
        let ((control_read, control), (bulk_read, bulk)) = (read(control), read(bulk));
        let written = CancellationToken::new();
        let reading = async {
            let closed = read_lanes(control_read, bulk_read, &over, mesh.timings.silence_max).await;
            if closed && mesh.leaving.is_cancelled() {
                // Both leave. The peer still reads, until it sees this end close.
                tokio::select! {
                    () = written.cancelled() => {}
                    () = over.cancelled() => {}
                }
            }
            over.cancel();
        };
        let writing = async {
            tokio::select! {
                biased;
                () = over.cancelled() => tracing::debug!(%peer, "the link ended"),
                end = write_lanes(&mesh, &lanes, control, bulk) => match end {
                    // The peer closes its end when it has read all: to close this one first could lose what is on its way.
                    Ok(_connections) => {
                        written.cancel();
                        over.cancelled().await;
                    }
                    Err(error) => tracing::debug!(%peer, %error, "the link broke"),
                }
            }
            drop(open);
            over.cancel();
        };
        tokio::join!(reading, writing);
        mesh.tell(PeerEvent::LinkDown(key));
    }
}

/// Waits until both lanes are read to their ends. `true`: the peer closed both in order.
async fn read_lanes(
    mut control: JoinHandle<bool>,
    mut bulk: JoinHandle<bool>,
    over: &CancellationToken,
    rest: Duration,
) -> bool {
    // A peer that leaves ends both lanes, of which one may have more to be read than the other.
    let (first, mut other) = tokio::select! {
        first = &mut control => (first, bulk),
        first = &mut bulk => (first, control),
    };
    let second = match timeout(rest, &mut other).await {
        Ok(second) => second,
        Err(_) => {
            over.cancel();
            other.await
        }
    };
    // It is an error when a frame made the reader panic, which the runtime has told already.
    matches!((first, second), (Ok(true), Ok(true)))
}

/// Writes both lanes to their ends, and says on both that no more comes. The connections stay open.
async fn write_lanes(
    mesh: &Arc<Mesh>,
    lanes: &Arc<Lanes>,
    control: Writer,
    bulk: Writer,
) -> io::Result<(Writer, Writer)> {
    let (control, bulk) = (write_lane(mesh, lanes, Lane::Control, control), write_lane(mesh, lanes, Lane::Bulk, bulk));
    let (mut control, mut bulk) = tokio::try_join!(control, bulk)?;
    // Not before all is written: a peer that sees the one lane end does not wait long for the other.
    tokio::try_join!(control.shutdown(), bulk.shutdown())?;
    Ok((control, bulk))
}

/// Writes a lane to its end, and gives its connection back. It is done by a task of its own: the bulk lane waits for those who
/// encode or compress large frames, and control waits for nothing.
async fn write_lane(mesh: &Arc<Mesh>, lanes: &Arc<Lanes>, lane: Lane, mut writer: Writer) -> io::Result<Writer> {
    let (timings, lanes) = (mesh.timings.clone(), lanes.clone());
    let writing = mesh.tasks.spawn(async move {
        write_frames(&mut writer, lanes.get(lane), &timings).await?;
        Ok(writer)
    });
    AbortOnDropHandle::new(writing).await.map_err(io::Error::other)?
}
