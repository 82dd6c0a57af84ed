//! Hands the frames of an incoming link to those who read them.

use std::sync::atomic::Ordering;

use super::handshake::Reader;
use crate::cluster::PeerEvent;
use crate::cluster::membership::Input;
use crate::cluster::mesh::Mesh;
use crate::wire::{FrameError, Kind, Member};

/// Reads until the connection ends, breaks, or carries what is no frame.
///
/// The link counts from its first frame on. Before, its dialler may not have heard yet that it was let in, and would
/// drop an answer that it should send on it.
pub(super) async fn read_frames(mesh: &Mesh, from: &Member, nonce: u64, mut reader: Reader) {
    let mut heard = false;
    loop {
        let next = reader.next(mesh.timings.silence_max).await;
        if matches!(next, Ok(Some(_))) && !std::mem::replace(&mut heard, true) {
            mesh.peers().heard(from.key, nonce);
            mesh.inbound.event(PeerEvent::InUp(from.key));
        }
        match next {
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
