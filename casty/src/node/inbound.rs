//! Where frames from other nodes go.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;

use super::NotReady;
use super::control::{Control, decode_word};
use super::founding::Charter;
use super::inner::Inner;
use crate::base::NodeKey;
use crate::cluster::{Inbound, PeerEvent};
use crate::codec::DecodeError;
use crate::sharding::{Announcement, decode_to_region, decode_to_router};
use crate::wire::Kind;

/// Hands frames and events of the cluster to the parts of the node. It is made before the node, and holds it weakly.
#[derive(Default)]
pub(super) struct Dispatch(OnceLock<Weak<Inner>>);

impl Dispatch {
    /// The node is there.
    pub(super) fn connect(&self, inner: &Arc<Inner>) {
        let _ = self.0.set(Arc::downgrade(inner));
    }

    fn inner(&self) -> Option<Arc<Inner>> {
        self.0.get()?.upgrade()
    }
}

impl Inbound for Dispatch {
    fn frame(&self, from: NodeKey, kind: Kind, body: Bytes) {
        let Some(inner) = self.inner() else { return };
        let result = match kind {
            Kind::RAFT => {
                inner.consensus(from, body);
                Ok(())
            }
            Kind::ENTITY => inner.to_region(from, &body),
            Kind::REPLY => decode_to_router(&body).map(|(group, words)| inner.router.receive(from, group, words)),
            Kind::ROUTE => decode_word(&body).map(|announcement| inner.learn(from, announcement)),
            Kind::MACHINE => crate::codec::decode(&body).map(|word| inner.machine_word(from, word)),
            Kind::DESK => decode_word(&body).map(|word| inner.asked(from, word)),
            Kind::NODE => decode_word(&body).map(|control| inner.control_received(from, control)),
            Kind::CALL | Kind::ANSWER | Kind::ACTOR | Kind::ITEM | Kind::TOPIC => inner.hub.frame(from, kind, &body),
            other => {
                tracing::debug!(%from, kind = other.0, "a frame of an unknown kind is dropped");
                Ok(())
            }
        };
        if let Err(error) = result {
            tracing::warn!(%from, kind = kind.0, %error, "a frame cannot be read and is dropped");
        }
    }

    fn event(&self, event: PeerEvent) {
        let Some(inner) = self.inner() else { return };
        inner.hub.event(&event);
        match event {
            // It asks for what it needs.
            PeerEvent::LinkUp(peer) if inner.links.is_client(peer) => {}
            PeerEvent::LinkUp(peer) => inner.greet(peer),
            PeerEvent::LinkDown(peer) => {
                inner.router.peer_lost(peer);
                inner.machines.peer_lost(peer);
                inner.host.link_down(peer);
                inner.desk.left(peer);
            }
            PeerEvent::MemberUp(member) => {
                tracing::info!(node = %member.id, addr = member.addr, "a node is up");
                inner.greet(member.key);
                inner.stewardship.wake();
            }
            PeerEvent::MemberDown(member) => {
                tracing::info!(node = %member.id, addr = member.addr, "a node is down");
                inner.router.peer_lost(member.key);
                inner.machines.peer_lost(member.key);
                inner.origins.forget(member.key);
                inner.stewardship.forget(member.key);
            }
            PeerEvent::ClientGone(_) => {}
            PeerEvent::Superseded(me) => {
                tracing::error!(node = %me.id, "a newer life of this node has joined the cluster; this one takes no part any more");
                inner.end(NotReady::Superseded);
            }
        }
    }
}

impl Inner {
    /// A message of a consensus group: it is taken only if it is of our cluster.
    fn consensus(self: &Arc<Self>, from: NodeKey, mut body: Bytes) {
        let Some(id) = body.first_chunk().map(|id| u64::from_le_bytes(*id)) else { return };
        let mut ours = self.links.is_ours(id);
        if !ours {
            let step;
            (ours, step) = self.founding.lock().raft(id);
            self.take(step);
        }
        if ours {
            self.host.receive(from, body.split_off(size_of::<u64>()));
        }
    }

    fn to_region(&self, from: NodeKey, body: &Bytes) -> Result<(), DecodeError> {
        let frame = decode_to_region(body)?;
        match self.regions.get(frame.group) {
            Some(region) => region.deliver(from, frame),
            None => tracing::debug!(%from, group = %frame.group, "a request for a group that is not here is dropped"),
        }
        Ok(())
    }

    fn learn(&self, from: NodeKey, announcement: Announcement) {
        let other = |id: u64| self.links.cluster_id().is_some_and(|ours| ours != id);
        if announcement.cluster_id.is_none_or(other) {
            return;
        }
        // Of a node that is no member nobody would say that it is gone.
        if self.links.cluster().is_some_and(|cluster| cluster.is_member(from)) {
            if let Some(origin) = announcement.origin {
                self.origins.announce(from, origin, announcement.clients);
            }
            self.stewardship.learn(from, announcement.unfit);
        }
        self.router.learn(&announcement.leading);
    }

    /// The link to `peer` is up: tell it all that it may have missed.
    fn greet(self: &Arc<Self>, peer: NodeKey) {
        if let Some(charter) = self.charter() {
            self.control(peer, &Control::Founded(charter));
        }
        self.announce(Some(peer));
    }

    fn control_received(self: &Arc<Self>, from: NodeKey, control: Control) {
        match control {
            Control::Promise(charter) => {
                if let Some(ours) = self.charter() {
                    self.control(from, &Control::Founded(ours));
                    return;
                }
                if self.founding.lock().refuses(&charter) {
                    self.control(from, &Control::Refused { cluster_id: charter.cluster_id() });
                    return;
                }
                let step = self.founding.lock().promised(from, &charter);
                self.take(step);
            }
            Control::Refused { cluster_id } => self.refused(from, cluster_id),
            Control::Founded(charter) => self.founded(from, charter),
            Control::Abandoned { cluster_id } => {
                let step = self.founding.lock().abandoned(cluster_id);
                self.take(step);
            }
            Control::Propose { id, command } => self.proposed(from, id, command),
            Control::Decided { id, verdict } => self.decided(id, verdict),
            Control::Over { incarnation } => self.over(incarnation),
        }
    }

    /// A node belongs to a cluster. If this one takes no part in it, or knows better, it says so.
    fn founded(self: &Arc<Self>, from: NodeKey, charter: Charter) {
        let cluster_id = charter.cluster_id();
        let (abandoned, refused) = {
            let founding = self.founding.lock();
            (founding.is_abandoned(&charter), founding.refuses(&charter))
        };
        if abandoned {
            self.control(from, &Control::Abandoned { cluster_id });
        } else if refused {
            self.control(from, &Control::Refused { cluster_id });
        }
        let step = self.founding.lock().told(from, charter);
        self.take(step);
    }

    /// A founder takes no part in this cluster. If it is the one that this node founded, the operator has to know.
    fn refused(&self, from: NodeKey, cluster_id: u64) {
        self.founding.lock().withdrawn(from, cluster_id);
        if self.links.is_ours(cluster_id) {
            tracing::warn!(founder = %from, "a founder of this node's cluster withdrew before the founding; it holds no replicas");
        }
    }

    /// The cluster has given a life of this node up. If it is the present one, it is over.
    fn over(self: &Arc<Self>, incarnation: u64) {
        if self.links.cluster().is_some_and(|cluster| cluster.me().incarnation == incarnation) {
            if self.leaving.load(Ordering::Acquire) {
                // It asked for it, and ends in order.
                self.told_over.notify_one();
            } else {
                self.end(NotReady::Removed);
            }
        }
    }
}
