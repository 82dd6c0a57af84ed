//! A link, from the moment at which both of its connections stand to its end. It is the same at either end.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::handshake::Writer;
use super::links::Lanes;
use super::outbox::Lane;
use super::peers::Connection;
use super::reader::{LaneReader, read_lane};
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
        let reader = |lane: Connection| {
            let Connection { terms, mut reader, writer } = lane;
            reader.set_bytes_max(FRAME_BYTES_MAX);
            let lane = LaneReader { mesh: mesh.clone(), from: peer.clone(), terms, over: over.clone() };
            (mesh.tasks.spawn(read_lane(lane, reader)), writer)
        };
        let ((mut control, control_writer), (mut bulk, bulk_writer)) = (reader(control), reader(bulk));
        let reading = async {
            // A peer that leaves ends both lanes, of which one may have more to be read than the other.
            let mut other = tokio::select! {
                _ = &mut control => bulk,
                _ = &mut bulk => control,
            };
            if timeout(mesh.timings.silence_max, &mut other).await.is_err() {
                over.cancel();
                // It fails when a frame made the reader panic, which the runtime has told already.
                let _ = other.await;
            }
            over.cancel();
        };
        let writing = async {
            let mut over_signal = pin!(over.cancelled());
            tokio::select! {
                biased;
                () = &mut over_signal => tracing::debug!(%peer, "the link ended"),
                written = write_lanes(&mesh, &lanes, control_writer, bulk_writer) => match written {
                    // The peer closes its end when it has read all: to close this one first could lose what is on its way.
                    Ok(_connections) => over_signal.await,
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
