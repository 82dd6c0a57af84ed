//! The entities of one group, on the node that leads it.
//!
//! A region is open while its node leads the group. It takes requests in order, runs them in the entities' cells,
//! collects what they did into batches, has the group commit one batch at a time, and releases answers and held sends
//! only then. When the leadership ends, it drops everything: what was not committed was never answered.

mod activation;
mod batch;
mod cells;
mod expiry;
mod intake;
mod open;
mod outside;
mod passivation;
mod reads;
mod regions;
mod release;
mod sends;
mod sessions;
mod task;
mod unsent;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use self::cells::CellKey;
pub(crate) use self::expiry::Expiry;
use self::outside::FromStore;
pub(crate) use self::passivation::LiveEntities;
use self::reads::Ended;
pub(crate) use self::regions::Regions;
use self::task::Task;
use super::protocol::{Leading, ToRegion, ToRouter};
use super::{Kinds, Origins, Post, Router};
use crate::actor::ActorSystem;
use crate::actor::entity::Effect;
use crate::base::{GroupId, NodeId, NodeKey, StableMap};
use crate::raft::{Group, LeaderId, ProposeError};
use crate::replication::SharedState;

/// A batch this large takes no more records, in bytes. With the largest record it stays within a log entry.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// How long to wait before what the group refused for the moment, or what a peer's queue had no room for, is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(5);

/// What a region needs of its node.
#[derive(Clone)]
pub(crate) struct RegionParts {
    pub(crate) me: NodeKey,
    /// The name of this node.
    pub(crate) node: NodeId,
    pub(crate) cluster_id: u64,
    /// The number of data groups in the cluster.
    pub(crate) groups: u16,
    pub(crate) group: Arc<Group>,
    pub(crate) state: SharedState,
    pub(crate) kinds: Kinds,
    pub(crate) origins: Arc<Origins>,
    pub(crate) post: Arc<dyn Post>,
    pub(crate) system: ActorSystem,
    pub(crate) live: Arc<LiveEntities>,
}

/// Frames that wait for the region's task. The windows of some thirty routers fit, all of them full.
const FRAMES_MAX: usize = 65_536;

/// The handle of a region: frames and effects go in here.
pub(crate) struct Region {
    group: GroupId,
    #[cfg(feature = "sim")]
    table: SharedState,
    events: Mutex<Events>,
    notify: Notify,
    leading: watch::Sender<Option<Leading>>,
}

/// What happened since the region's task last looked.
#[derive(Default)]
struct Events {
    frames: Vec<(NodeKey, ToRegion)>,
    effects: Vec<(Source, Effect)>,
    settled: Vec<Settled>,
    confirmed: Vec<Confirmed>,
    /// What stores outside of the cluster have answered, under which opening of the region they were asked.
    stores: Vec<(u64, FromStore)>,
    /// Try again what was refused for the moment.
    retry: bool,
    /// The region's task has ended: nothing is taken any more.
    closed: bool,
}

/// Which cell, under which opening of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    epoch: u64,
    cell: CellKey,
}

/// The end of a proposal: the output of its entry, or why it failed.
struct Settled {
    /// The leadership under which it was proposed.
    leader: LeaderId,
    epoch: u64,
    result: Result<Bytes, ProposeError>,
}

/// The end of a read index.
struct Confirmed {
    epoch: u64,
    reads: Vec<Ended>,
    leads: bool,
}

impl Region {
    /// The region of a group on this node, and the task that runs it. It opens when the node leads.
    pub(crate) fn new(parts: RegionParts, router: Arc<Router>) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let region = Arc::new(Self {
            group: parts.group.id(),
            #[cfg(feature = "sim")]
            table: parts.state.clone(),
            events: Mutex::default(),
            notify: Notify::new(),
            leading: watch::Sender::new(None),
        });
        let task = Task::new(region.clone(), router, parts);
        (region, task.run())
    }

    /// The group whose entities it runs.
    pub(crate) fn group(&self) -> GroupId {
        self.group
    }

    /// The table of the group.
    #[cfg(feature = "sim")]
    pub(crate) fn table(&self) -> &SharedState {
        &self.table
    }

    /// Hands in a router's frame. Frames of one router must come in the order in which it sent them.
    /// One that finds too many before it is dropped: its session notices the gap, and opens again.
    pub(crate) fn deliver(&self, from: NodeKey, frame: ToRegion) {
        self.push(|events| {
            if events.frames.len() < FRAMES_MAX {
                events.frames.push((from, frame));
            }
        });
    }

    /// The latest announcement of this region, if it was ever open.
    pub(crate) fn leading(&self) -> Option<Leading> {
        *self.leading.borrow()
    }

    fn push(&self, change: impl FnOnce(&mut Events)) {
        {
            let mut events = self.events.lock();
            if events.closed {
                return;
            }
            change(&mut events);
        }
        self.notify.notify_one();
    }

    /// Looks again after a moment.
    fn retry_soon(self: &Arc<Self>) {
        let region = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(RETRY_AFTER).await;
            region.push(|events| events.retry = true);
        });
    }

    fn take(&self) -> Events {
        std::mem::take(&mut *self.events.lock())
    }

    /// Nothing is taken any more.
    fn shut(&self) {
        let events = std::mem::replace(&mut *self.events.lock(), Events { closed: true, ..Events::default() });
        drop(events);
    }
}

/// Words for routers, by node.
type Outbox = StableMap<NodeKey, Vec<ToRouter>>;
