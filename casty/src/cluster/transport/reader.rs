//! Hands the frames of an incoming link to those who read them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::handshake::Reader;
use super::peers::Connection;
use crate::cluster::PeerEvent;
use crate::cluster::edge::relayed;
use crate::cluster::membership::Input;
use crate::cluster::mesh::Mesh;
use crate::wire::{FRAME_BYTES_MAX, Features, FrameError, Kind, Member, Terms, expand};

/// The readers of one incoming link.
pub(super) struct Incoming {
    pub(super) mesh: Arc<Mesh>,
    pub(super) from: Member,
    pub(super) nonce: u64,
    pub(super) terms: Terms,
    pub(super) cut: CancellationToken,
}

/// What is read on a lane.
enum Next {
    Frame((Kind, Bytes)),
    /// The dialler closed it between two frames.
    Closed,
    /// It ended otherwise, of which the log was told.
    Broken,
}

impl Incoming {
    /// Reads both lanes to their ends; when one breaks, or carries what is no frame, the other ends too. Both have ended when it
    /// returns. `false`: the link never counted.
    ///
    /// The link counts once a frame has come on each lane. Before, its dialler may not have heard yet that it was let in, and
    /// would drop an answer that it should send on it.
    pub(super) async fn read(self: &Arc<Self>, mut control: Connection, mut bulk: Connection) -> bool {
        for reader in [&mut control.reader, &mut bulk.reader] {
            reader.set_bytes_max(FRAME_BYTES_MAX);
        }
        let first = tokio::select! {
            first = async { tokio::join!(self.next(&mut control.reader), self.next(&mut bulk.reader)) } => first,
            () = self.cut.cancelled() => return false,
        };
        let (Next::Frame(of_control), Next::Frame(of_bulk)) = first else { return false };
        self.mesh.peers().heard(self.from.key, self.nonce);
        self.mesh.tell(PeerEvent::InUp(self.from.key));
        let me = self.clone();
        // A task of its own: what is done about a bulk frame does not hold a control frame up.
        let mut bulk = self.mesh.tasks.spawn(async move { me.read_lane(of_bulk, bulk).await });
        let mut control = pin!(self.read_lane(of_control, control));
        // A dialler that leaves ends both lanes, of which one may have more to be read than the other.
        let rest = self.mesh.timings.silence_max;
        let bulk_ended = tokio::select! {
            () = &mut control => timeout(rest, &mut bulk).await.is_ok(),
            _ = &mut bulk => {
                if timeout(rest, &mut control).await.is_err() {
                    self.cut.cancel();
                    control.await;
                }
                true
            }
        };
        self.cut.cancel();
        if !bulk_ended {
            // It fails when a frame made the reader panic, which the runtime has told already.
            let _ = bulk.await;
        }
        true
    }

    /// Reads one lane to its end. It ends the other too unless it was closed in order, also when a frame makes it panic.
    async fn read_lane(&self, first: (Kind, Bytes), mut lane: Connection) {
        let other_ends = self.cut.clone().drop_guard();
        let mut cut = pin!(self.cut.cancelled());
        self.hand_on(first);
        loop {
            // What has been read is handed on at once: it has an end, and the signal is looked at before more is read.
            let next = match lane.reader.buffered().transpose() {
                Some(frame) => self.understood(frame.map(Some)),
                None if self.cut.is_cancelled() => return,
                None => tokio::select! {
                    biased;
                    next = self.next(&mut lane.reader) => next,
                    () = &mut cut => return,
                },
            };
            match next {
                Next::Frame(frame) => self.hand_on(frame),
                Next::Closed => {
                    other_ends.disarm();
                    return;
                }
                Next::Broken => return,
            }
        }
    }

    async fn next(&self, lane: &mut Reader) -> Next {
        self.understood(lane.next(self.mesh.timings.silence_max).await)
    }

    fn understood(&self, next: Result<Option<(Kind, Bytes)>, FrameError>) -> Next {
        match next.and_then(|next| next.map(|frame| self.expanded(frame)).transpose()) {
            Ok(Some(frame)) => Next::Frame(frame),
            Ok(None) => {
                tracing::debug!(peer = %self.from, "the peer closed its link");
                Next::Closed
            }
            Err(error) => {
                if matches!(error, FrameError::Silent { .. }) {
                    self.mesh.peers().distrust(self.from.key);
                }
                self.mesh.noted.failure(&self.from.addr, "closed the link from a peer", &error);
                Next::Broken
            }
        }
    }

    /// The frame that was meant.
    fn expanded(&self, (kind, body): (Kind, Bytes)) -> Result<(Kind, Bytes), FrameError> {
        match kind {
            Kind::COMPRESSED if self.terms.features.contains(Features::LZ4) => expand(&body, FRAME_BYTES_MAX),
            Kind::COMPRESSED => Err(FrameError::BadlyCompressed),
            kind => Ok((kind, body)),
        }
    }

    fn hand_on(&self, (kind, body): (Kind, Bytes)) {
        match kind {
            Kind::PING => {}
            Kind::GOSSIP => {
                // Gossip is made to lose packets; a full queue means that the node is far behind with them.
                if self.mesh.gossip.try_send(Input::Packet { from: self.from.key, packet: body }).is_err() {
                    self.mesh.gossip_errors.fetch_add(1, Ordering::Relaxed);
                }
            }
            Kind::RELAY => relayed(&self.mesh, self.from.key, body),
            Kind::NEWS => self.mesh.departed(self.from.key, &body),
            kind => self.mesh.inbound.frame(self.from.key, kind, body),
        }
    }
}
