//! Connections in memory that can be cut.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::base::NodeKey;
use crate::raft::{Host, Links};

/// All connections of a cluster.
#[derive(Default)]
pub(super) struct Net {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    hosts: HashMap<NodeKey, Weak<Host>>,
    cut: HashSet<(NodeKey, NodeKey)>,
    lanes: HashMap<(NodeKey, NodeKey), (mpsc::Sender<Bytes>, AbortHandle)>,
    /// Frames to lose, unnoticed, on a lane.
    lose: HashMap<(NodeKey, NodeKey), u32>,
    /// Chunks of snapshots to damage on a lane.
    damage: HashMap<(NodeKey, NodeKey), u32>,
    /// The chunks of snapshots that were sent.
    chunks: watch::Sender<u32>,
    /// The connection over which this chunk is sent breaks with it.
    break_at: Option<u32>,
}

/// Frames of so many bytes are chunks of snapshots.
const CHUNK_BYTES_MIN: usize = 128 << 10;

/// One node's end of the connections.
pub(super) struct NodeLinks {
    pub(super) me: NodeKey,
    pub(super) net: Arc<Net>,
}

impl Net {
    pub(super) fn add(&self, host: &Arc<Host>) {
        self.inner.lock().hosts.insert(host.me(), Arc::downgrade(host));
    }

    /// Breaks the connection of two nodes; frames on their way are lost, and both sides are told.
    pub(super) fn cut(&self, a: NodeKey, b: NodeKey) {
        let mut inner = self.inner.lock();
        let mut told = Vec::new();
        for (from, to) in [(a, b), (b, a)] {
            inner.cut.insert((from, to));
            if let Some((_, lane)) = inner.lanes.remove(&(from, to)) {
                lane.abort();
            }
            told.extend(inner.hosts.get(&from).and_then(Weak::upgrade).map(|host| (host, to)));
        }
        drop(inner);
        for (host, peer) in told {
            host.link_down(peer);
        }
    }

    /// Connects two nodes again.
    pub(super) fn join(&self, a: NodeKey, b: NodeKey) {
        let mut inner = self.inner.lock();
        inner.cut.remove(&(a, b));
        inner.cut.remove(&(b, a));
    }

    /// Loses the next frames from one node to another, without telling anyone.
    pub(super) fn lose(&self, from: NodeKey, to: NodeKey, frames: u32) {
        self.inner.lock().lose.insert((from, to), frames);
    }

    /// Changes a byte in each of the next chunks of snapshots from one node to another.
    pub(super) fn damage(&self, from: NodeKey, to: NodeKey, chunks: u32) {
        self.inner.lock().damage.insert((from, to), chunks);
    }

    /// The connection breaks when so many chunks of snapshots were sent.
    pub(super) fn break_at(&self, chunk: u32) {
        self.inner.lock().break_at = Some(chunk);
    }

    /// How many chunks of snapshots were sent.
    pub(super) fn chunks(&self) -> watch::Receiver<u32> {
        self.inner.lock().chunks.subscribe()
    }
}

impl Links for NodeLinks {
    fn send(&self, to: NodeKey, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        let mut inner = self.net.inner.lock();
        let way = (self.me, to);
        let Some(host) = inner.hosts.get(&to).cloned().filter(|host| host.strong_count() > 0) else { return false };
        if inner.cut.contains(&way) {
            return false;
        }
        let mut frame = Vec::new();
        encode(&mut frame);
        if frame.len() >= CHUNK_BYTES_MIN {
            inner.chunks.send_modify(|chunks| *chunks += 1);
            if inner.break_at == Some(*inner.chunks.borrow()) {
                inner.break_at = None;
                inner.cut.insert(way);
                let (net, me) = (self.net.clone(), self.me);
                tokio::spawn(async move { net.cut(me, to) });
                return true;
            }
            if let Some(left) = inner.damage.get_mut(&way).filter(|left| **left > 0) {
                *left -= 1;
                let middle = frame.len() / 2;
                frame[middle] ^= 1;
            }
        }
        if let Some(left) = inner.lose.get_mut(&way).filter(|left| **left > 0) {
            *left -= 1;
            return true;
        }
        let from = self.me;
        let (lane, _) = inner.lanes.entry(way).or_insert_with(|| {
            let (lane, mut frames) = mpsc::channel::<Bytes>(4_096);
            let deliver = tokio::spawn(async move {
                while let Some(frame) = frames.recv().await {
                    let Some(host) = host.upgrade() else { return };
                    host.receive(from, frame);
                }
            });
            (lane, deliver.abort_handle())
        });
        lane.try_send(frame.into()).is_ok()
    }

    fn is_up(&self, to: NodeKey) -> bool {
        let inner = self.net.inner.lock();
        let there = inner.hosts.get(&to).is_some_and(|host| host.strong_count() > 0);
        there && !inner.cut.contains(&(self.me, to))
    }
}
