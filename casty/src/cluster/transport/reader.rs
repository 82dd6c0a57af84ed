//! Hands the frames of an incoming link to those who read them.

use std::sync::atomic::Ordering;

use super::handshake::Reader;
use crate::cluster::membership::Input;
use crate::cluster::mesh::Mesh;
use crate::wire::{FrameError, Kind, Member};

/// Reads until the connection ends, breaks, or carries what is no frame.
pub(super) async fn read_frames(mesh: &Mesh, from: &Member, mut reader: Reader) {
    loop {
        match reader.next(mesh.timings.silence_max).await {
            Ok(Some((Kind::PING, _))) => {}
            Ok(Some((Kind::GOSSIP, packet))) => {
                // Gossip is made to lose packets; a full queue means that the node is far behind with them.
                if mesh.gossip.try_send(Input::Packet { from: from.key, packet }).is_err() {
                    mesh.gossip_errors.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(Some((kind, body))) => mesh.inbound.frame(from.key, kind, body),
            Ok(None) => return tracing::debug!(peer = %from, "the peer closed its link"),
            Err(error) => {
                if matches!(error, FrameError::Silent { .. }) {
                    mesh.peers().distrust(from.key);
                }
                return mesh.noted.failure(&from.addr, "closed the link from a peer", &error);
            }
        }
    }
}
