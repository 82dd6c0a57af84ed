//! The links that are usable now.

use std::pin::pin;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::watch;

use super::outbox::{Lane, Outbox};
use crate::base::{NodeKey, StableMap};
use crate::cluster::SendFailure;
use crate::wire::Kind;

/// The outboxes of the links that are usable now.
pub(crate) struct Links {
    open: RwLock<StableMap<NodeKey, Arc<Lanes>>>,
    changed: watch::Sender<()>,
}

impl Links {
    pub(crate) fn new() -> Self {
        Self { open: RwLock::default(), changed: watch::Sender::new(()) }
    }

    pub(crate) fn send(
        &self,
        to: NodeKey,
        lane: Lane,
        kind: Kind,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), SendFailure> {
        self.get(to).ok_or(SendFailure::NotConnected)?.push(lane, kind, encode)
    }

    pub(crate) fn is_open(&self, to: NodeKey) -> bool {
        self.open.read().contains_key(&to)
    }

    /// The peers with which there are links, in an order that a simulation repeats.
    pub(crate) fn open_to(&self) -> Vec<NodeKey> {
        let mut all: Vec<_> = self.open.read().keys().copied().collect();
        all.sort_unstable();
        all
    }

    /// Whether there is any link.
    pub(super) fn any(&self) -> bool {
        !self.open.read().is_empty()
    }

    /// The link is usable until the result is dropped. With a peer there is one at most: of two nodes only one dials, and a link that
    /// replaces another waits for its end.
    pub(super) fn open(self: &Arc<Self>, to: NodeKey, lanes: Arc<Lanes>) -> OpenLink {
        self.open.write().insert(to, lanes);
        self.changed.send_replace(());
        OpenLink { links: self.clone(), to }
    }

    /// Waits until there is a link to `to`, or until there is none.
    pub(super) async fn until(&self, to: NodeKey, open: bool) {
        self.wait(|| self.is_open(to) == open).await;
    }

    /// Waits until the bulk lane to `to` has room, or there is no link that had none.
    pub(crate) async fn room(&self, to: NodeKey) {
        let Some(lanes) = self.get(to) else { return };
        let mut changed = self.changed.subscribe();
        let mut room = pin!(lanes.bulk.room());
        let is_same = || self.get(to).is_some_and(|now| Arc::ptr_eq(&now, &lanes));
        while is_same() {
            tokio::select! {
                () = &mut room => return,
                changed = changed.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Lets every link write what it holds and end then.
    pub(crate) fn seal(&self) {
        for lanes in self.open.read().values() {
            lanes.seal();
        }
    }

    /// Waits until there is no link.
    pub(crate) async fn until_none(&self) {
        self.wait(|| self.open.read().is_empty()).await;
    }

    async fn wait(&self, reached: impl Fn() -> bool) {
        let mut changed = self.changed.subscribe();
        while !reached() {
            // The sender lives as long as `self`, so this never fails.
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// The lanes of the link to `to`.
    pub(crate) fn get(&self, to: NodeKey) -> Option<Arc<Lanes>> {
        self.open.read().get(&to).cloned()
    }
}

/// What waits to be written on each lane of one link.
pub(crate) struct Lanes {
    control: Outbox,
    bulk: Outbox,
}

impl Lanes {
    /// Empty lanes, with bulk frames of more than so many bytes compressed.
    pub(super) fn new(compress_above: Option<usize>) -> Self {
        let outbox = |lane: Lane| Outbox::new(lane, lane.bounds());
        Self { control: outbox(Lane::Control), bulk: outbox(Lane::Bulk).compressing_above(compress_above) }
    }

    /// Lets both lanes write what they hold and end then.
    pub(super) fn seal(&self) {
        self.control.seal();
        self.bulk.seal();
    }

    /// Queues a frame on a lane.
    pub(crate) fn push(&self, lane: Lane, kind: Kind, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), SendFailure> {
        self.get(lane).push(kind, encode)
    }

    /// What waits on a lane.
    pub(super) fn get(&self, lane: Lane) -> &Outbox {
        match lane {
            Lane::Control => &self.control,
            Lane::Bulk => &self.bulk,
        }
    }
}

/// Keeps a link in the table. However its task ends, the link is not usable after it.
pub(super) struct OpenLink {
    links: Arc<Links>,
    to: NodeKey,
}

impl Drop for OpenLink {
    fn drop(&mut self) {
        self.links.open.write().remove(&self.to);
        self.links.changed.send_replace(());
    }
}
