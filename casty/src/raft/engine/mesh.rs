//! The traffic of all groups of a host with all peers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::assemblies::Assemblies;
use super::core::Core;
use super::peer::Peer;
use super::replica::Replica;
use super::types::{LogId, position};
use super::wire::{Envelope, Frame, Request, Response};
use crate::base::{GroupId, NodeKey, StableMap, stable_hash_parts};
use crate::raft::{Links, RaftSettings};
use crate::storage::LogPosition;

/// Requests from peers that are being served at one time, over all groups. More are dropped; who asked tries again.
const REQUESTS_MAX: usize = 1_024;

/// The traffic of all groups of a host with all peers.
pub(in crate::raft) struct Mesh {
    me: NodeKey,
    links: Arc<dyn Links>,
    pub(super) settings: RaftSettings,
    members: RwLock<StableMap<GroupId, Member>>,
    /// One for each peer with which something was exchanged since its connection was made.
    peers: RwLock<StableMap<NodeKey, Arc<Peer>>>,
    pub(super) assemblies: Arc<Assemblies>,
    next_id: AtomicU64,
    pub(super) requests: Arc<Semaphore>,
    runtime: OnceLock<Handle>,
}

/// A group that takes part.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) core: Core,
    pub(super) replica: Replica,
    /// A voter that restarts does not know the lease that it gave its leader, so it votes for nobody before this.
    pub(super) votes_from: Option<Instant>,
    /// It has acknowledged what came until there, and dropped it. A candidate that lacks some of it may not know that the group has
    /// other voters since.
    pub(super) forgotten: Option<LogPosition>,
}

impl Member {
    /// Whether this node may vote for a candidate whose log ends there.
    pub(super) fn may_vote(&self, last: Option<&LogId>) -> bool {
        self.votes_from.is_none_or(|from| Instant::now() >= from) && last.map(position) >= self.forgotten
    }
}

impl Mesh {
    pub(in crate::raft) fn new(me: NodeKey, links: Arc<dyn Links>, settings: RaftSettings) -> Arc<Self> {
        // Ids need not be secret; they only should not repeat those of the host's life before.
        let first_id = stable_hash_parts(&[&me.0.to_le_bytes(), &settings.seed.to_le_bytes()]) >> 16;
        Arc::new(Self {
            me,
            links,
            settings,
            members: RwLock::default(),
            peers: RwLock::default(),
            assemblies: Arc::default(),
            next_id: AtomicU64::new(first_id),
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
            runtime: OnceLock::new(),
        })
    }

    pub(super) fn me(&self) -> NodeKey {
        self.me
    }

    /// A group takes part. Must be called on the runtime that serves the groups.
    pub(super) fn add(&self, group: GroupId, member: Member) {
        self.runtime.get_or_init(Handle::current);
        self.members.write().insert(group, member);
    }

    /// A group no longer takes part.
    pub(in crate::raft) fn remove(&self, group: GroupId) {
        let member = self.members.write().remove(&group);
        // Nothing waits for what its followers were being sent, or holds the state for it.
        member.iter().for_each(|member| member.replica.transfers.clear());
        self.assemblies.remove(group);
    }

    /// Nothing is expected from any peer any more.
    pub(in crate::raft) fn clear(&self) {
        let peers = std::mem::take(&mut *self.peers.write());
        for peer in peers.into_values() {
            peer.close();
        }
    }

    /// The runtime of the groups. There is one as soon as there was a group.
    pub(in crate::raft) fn runtime(&self) -> Option<&Handle> {
        self.runtime.get()
    }

    pub(super) fn member(&self, group: GroupId) -> Option<Member> {
        self.members.read().get(&group).cloned()
    }

    pub(super) fn peer(&self, key: NodeKey) -> Arc<Peer> {
        if let Some(peer) = self.peers.read().get(&key) {
            return peer.clone();
        }
        self.peers.write().entry(key).or_default().clone()
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn is_up(&self, peer: NodeKey) -> bool {
        self.links.is_up(peer)
    }

    /// Queues a frame. `false`: it was not sent.
    pub(super) fn send(&self, to: NodeKey, group: GroupId, frame: Frame) -> bool {
        let envelope = Envelope { group, frame };
        self.links.send(to, &mut |out| envelope.encode(out))
    }

    /// Asks a peer and waits for the answer for so long.
    pub(super) async fn ask(
        &self,
        to: NodeKey,
        group: GroupId,
        request: Request,
        patience: Duration,
    ) -> Result<Response, &'static str> {
        let (id, peer) = (self.next_id(), self.peer(to));
        let (answer, answered) = oneshot::channel();
        peer.open().asks.insert(id, answer);
        let _forget = Forget { peer: &peer, id };
        if !self.send(to, group, Frame::Ask { id, request }) {
            return Err("the peer is not connected, or its lane is full");
        }
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(Response::Refused)) => Err("the peer does not serve the group"),
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err("the connection to the peer broke"),
            Err(_) => Err("the peer did not answer in time"),
        }
    }

    /// Takes a frame from a peer without waiting for anything.
    pub(in crate::raft) fn receive(self: &Arc<Self>, from: NodeKey, body: Bytes) {
        match Envelope::decode(&body) {
            Ok(envelope) => self.serve(from, envelope),
            Err(why) => tracing::warn!(%from, bytes = body.len(), %why, "dropped a malformed consensus frame"),
        }
    }

    /// Ends what was open with a peer.
    pub(in crate::raft) fn link_down(&self, peer: NodeKey) {
        let Some(gone) = self.peers.write().remove(&peer) else { return };
        for (session, group) in gone.close() {
            // The peer may have a new connection already and send the rest of the session through it.
            self.send(peer, group, Frame::Gone { session });
        }
    }
}

/// Takes back an ask that nobody waits for any more.
struct Forget<'a> {
    peer: &'a Peer,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.peer.open().asks.remove(&self.id);
    }
}
