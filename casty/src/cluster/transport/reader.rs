//! Hands the frames of a link to those who read them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::handshake::Reader;
use crate::cluster::edge::relayed;
use crate::cluster::membership::Input;
use crate::cluster::mesh::Mesh;
use crate::wire::{FRAME_BYTES_MAX, Features, FrameError, Kind, Member, Terms, expand};

/// What reads one lane of a link.
pub(super) struct LaneReader {
    pub(super) mesh: Arc<Mesh>,
    pub(super) from: Member,
    pub(super) terms: Terms,
    /// Ends the link.
    pub(super) over: CancellationToken,
}

/// What is read on a lane.
enum Next {
    Frame((Kind, Bytes)),
    /// The peer closed it between two frames.
    Closed,
    /// It ended otherwise, of which the log was told.
    Broken,
}

impl LaneReader {
    /// Reads the lane to its end. `true`: the peer closed it in order. Otherwise it ends the link too, also when a frame makes it
    /// panic.
    pub(super) async fn read(self, mut reader: Reader) -> bool {
        let link_ends = self.over.clone().drop_guard();
        let mut over = pin!(self.over.cancelled());
        loop {
            // What has been read is handed on at once: it has an end, and the signal is looked at before more is read.
            let next = match reader.buffered().transpose() {
                Some(frame) => self.understood(frame.map(Some)),
                None if self.over.is_cancelled() => return false,
                None => tokio::select! {
                    biased;
                    next = self.next(&mut reader) => next,
                    () = &mut over => return false,
                },
            };
            match next {
                Next::Frame(frame) => self.hand_on(frame),
                Next::Closed => {
                    link_ends.disarm();
                    return true;
                }
                Next::Broken => return false,
            }
        }
    }

    async fn next(&self, reader: &mut Reader) -> Next {
        self.understood(reader.next(self.mesh.timings.silence_max).await)
    }

    fn understood(&self, next: Result<Option<(Kind, Bytes)>, FrameError>) -> Next {
        match next.and_then(|next| next.map(|frame| self.expanded(frame)).transpose()) {
            Ok(Some(frame)) => Next::Frame(frame),
            Ok(None) => {
                tracing::debug!(peer = %self.from, "the peer closed its link");
                Next::Closed
            }
            Err(error) => {
                // Who sees this node leave closes its end as it is.
                if self.mesh.leaving.is_cancelled() {
                    tracing::debug!(peer = %self.from, %error, "the link ended");
                } else {
                    self.mesh.noted.failure(&self.from.addr, "closed the link with a peer", &error);
                }
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
                if self.mesh.gossip.try_send(Input::Packet(body)).is_err() {
                    self.mesh.gossip_errors.fetch_add(1, Ordering::Relaxed);
                }
            }
            Kind::RELAY => relayed(&self.mesh, self.from.key, body),
            Kind::NEWS => self.mesh.departed(self.from.key, &body),
            kind => self.mesh.inbound.frame(self.from.key, kind, body),
        }
    }
}
