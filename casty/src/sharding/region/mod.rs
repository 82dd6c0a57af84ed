//! The entities of one group, on the node that leads it.
//!
//! A region is open while its node leads the group. It takes requests in order, runs them in the entities' cells,
//! collects what they did into batches, has the group commit one batch at a time, and releases answers and held sends
//! only then. When the leadership ends, it drops everything: what was not committed was never answered.

mod batch;
mod cells;
mod expiry;
mod intake;
mod open;
mod reads;
mod release;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::batch::Batch;
use self::cells::CellKey;
use self::expiry::Expiry;
use self::open::Open;
use self::reads::Read;
use self::release::Releaser;
use super::protocol::{Leading, ToRegion, ToRouter, append, encode_to_router};
use super::{Kinds, Origins, Post, Router};
use crate::actor::ActorSystem;
use crate::actor::entity::Effect;
use crate::base::{GroupId, NodeId, NodeKey, StableMap};
use crate::raft::{Group, LeaderId, Leadership};
use crate::replication::{SharedState, encode_expire};
use crate::wire::Kind;

/// How often the region lets others run before it proposes, so that what is about to happen shares the log entry.
const LINGER_YIELDS: usize = 3;

/// A batch this large takes no more records, in bytes. With the largest record it stays within a log entry.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// How often a leader looks for sessions whose origins are gone.
const EXPIRY_PERIOD: Duration = Duration::from_secs(10);

/// How long a leader whose program lacks an entity type waits before it hands the group over again.
const HAND_OVER_PERIOD: Duration = Duration::from_secs(5);

/// What a region needs of its node.
#[derive(Clone)]
pub(crate) struct RegionParts {
    pub(crate) me: NodeKey,
    /// The name of this node.
    pub(crate) node: NodeId,
    pub(crate) group: Arc<Group>,
    /// The nodes that hold the group.
    pub(crate) replicas: Vec<NodeKey>,
    pub(crate) state: SharedState,
    pub(crate) kinds: Kinds,
    pub(crate) origins: Arc<Origins>,
    pub(crate) post: Arc<dyn Post>,
    pub(crate) system: ActorSystem,
}

/// The handle of a region: frames and effects go in here.
pub(crate) struct Region {
    group: GroupId,
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
}

/// Which cell, under which opening of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    epoch: u64,
    cell: CellKey,
}

/// The end of a proposal: the output of its entry, or why it failed.
struct Settled {
    epoch: u64,
    result: Result<Bytes, String>,
}

/// The end of a read index.
struct Confirmed {
    epoch: u64,
    reads: Vec<Read>,
    leads: bool,
}

impl Region {
    /// The region of a group on this node, and the task that runs it. It opens when the node leads.
    pub(crate) fn new(parts: RegionParts, router: Arc<Router>) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let region = Arc::new(Self {
            group: parts.group.id(),
            events: Mutex::default(),
            notify: Notify::new(),
            leading: watch::Sender::new(None),
        });
        let releaser = Releaser::start(&parts.system);
        let epoch = 0;
        let (open, proposed, handed_over) = (None, None, None);
        let task = Task { region: region.clone(), router, parts, releaser, epoch, open, proposed, handed_over };
        (region, task.run())
    }

    /// The group whose entities it runs.
    pub(crate) fn group(&self) -> GroupId {
        self.group
    }

    /// Hands in a router's frame. Frames of one router must come in the order in which it sent them.
    pub(crate) fn deliver(&self, from: NodeKey, frame: ToRegion) {
        self.push(|events| events.frames.push((from, frame)));
    }

    /// The latest announcement of this region, if it was ever open.
    pub(crate) fn leading(&self) -> Option<Leading> {
        *self.leading.borrow()
    }

    fn push(&self, change: impl FnOnce(&mut Events)) {
        change(&mut self.lock());
        self.notify.notify_one();
    }

    fn take(&self) -> Events {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Words for routers, by node.
type Outbox = StableMap<NodeKey, Vec<ToRouter>>;

/// The task of a region.
struct Task {
    region: Arc<Region>,
    router: Arc<Router>,
    parts: RegionParts,
    releaser: Releaser,
    /// How often the region was opened.
    epoch: u64,
    open: Option<Open>,
    /// The batch on its way through the log. It stays here when the region closes: nothing opens before it is settled.
    proposed: Option<Batch>,
    /// When the group was last handed over for want of an entity type.
    handed_over: Option<Instant>,
}

impl Task {
    async fn run(mut self) {
        let mut leadership = self.parts.group.leadership();
        let mut period = tokio::time::interval(EXPIRY_PERIOD);
        let mut expiry = Expiry::default();
        loop {
            self.follow(*leadership.borrow_and_update());
            tokio::select! {
                () = self.region.notify.notified() => {}
                changed = leadership.changed() => if changed.is_err() { break },
                _ = period.tick() => self.expire(&mut expiry),
            }
            if self.proposed.is_none() && self.open.is_some() {
                for _ in 0..LINGER_YIELDS {
                    tokio::task::yield_now().await;
                }
            }
            self.step();
        }
        self.close();
    }

    /// Opens and closes with the leadership of this node.
    fn follow(&mut self, leadership: Leadership) {
        if self.open.as_ref().is_some_and(|open| Some(open.leader) != leadership.ours) {
            self.close();
        }
        if let (Some(leader), None, None) = (leadership.ours, &self.open, &self.proposed) {
            self.open(leader);
        }
    }

    fn open(&mut self, leader: LeaderId) {
        self.epoch += 1;
        let epoch = self.epoch;
        tracing::debug!(group = %self.region.group, term = leader.term, epoch, "region opened");
        self.open = Some(Open::new(leader, epoch, self.parts.clone(), self.region.clone(), self.router.clone()));
        self.announce(Leading { group: self.region.group, leader, epoch, open: true });
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        tracing::debug!(group = %self.region.group, term = open.leader.term, epoch = open.epoch, "region closed");
        self.announce(Leading { group: self.region.group, leader: open.leader, epoch: open.epoch, open: false });
    }

    /// Tells every node at once; those that it does not reach are told when their link comes up.
    fn announce(&self, leading: Leading) {
        self.region.leading.send_replace(Some(leading));
        self.router.learn(&[leading]);
        let announcement = super::protocol::Announcement { leading: vec![leading], ..Default::default() };
        self.parts.post.broadcast(Kind::ROUTE, &mut |out| append(&announcement, out));
    }

    /// Takes in all that has happened, and proposes what has collected.
    fn step(&mut self) {
        let events = self.region.take();
        let mut outbox = Outbox::default();
        for settled in events.settled {
            self.settle(settled, &mut outbox);
        }
        match &mut self.open {
            None => self.turn_away(events.frames, &mut outbox),
            Some(open) => {
                for confirmed in events.confirmed {
                    open.confirmed(confirmed, &mut outbox, &self.releaser);
                }
                for (source, effect) in events.effects {
                    open.effect(source, effect, &mut outbox);
                }
                for (from, frame) in events.frames {
                    open.frame(from, frame, &mut outbox);
                }
                open.confirm_reads();
            }
        }
        self.propose();
        self.flush(outbox);
        if self.open.as_ref().is_some_and(|open| open.broken) {
            self.close();
        }
        if self.open.as_mut().is_some_and(|open| std::mem::take(&mut open.lacks_a_type)) {
            self.hand_over();
        }
    }

    /// Has another node lead the group: this one's program lacks an entity type that lives here.
    fn hand_over(&mut self) {
        let (me, now) = (self.parts.me, Instant::now());
        if self.handed_over.is_some_and(|last| now - last < HAND_OVER_PERIOD) {
            return;
        }
        self.handed_over = Some(now);
        let others = || self.parts.replicas.iter().cycle().skip_while(move |node| **node != me);
        let Some(to) = others().nth(1).copied().filter(|node| *node != me) else { return };
        let group = self.parts.group.clone();
        tokio::spawn(async move {
            tracing::warn!(group = %group.id(), %to, "handing the leadership over: this program lacks an entity type");
            if let Err(error) = group.transfer(to).await {
                tracing::warn!(group = %group.id(), %error, "the leadership stays here");
            }
        });
    }

    /// Hands the collected batch to the group, unless one is on its way.
    fn propose(&mut self) {
        let Some(open) = self.open.as_mut().filter(|_| self.proposed.is_none()) else { return };
        let Some(mut batch) = open.next_batch() else { return };
        let (command, leader, epoch) = (batch.take_bytes(), open.leader, open.epoch);
        self.proposed = Some(batch);
        let region = self.region.clone();
        let done = Box::new(move |result: Result<crate::raft::Proposed, crate::raft::ProposeError>| {
            let result = result.map(|proposed| proposed.output).map_err(|error| error.to_string());
            region.push(|events| events.settled.push(Settled { epoch, result }));
        });
        self.parts.group.propose(leader, command, done);
    }

    /// A proposal has ended: release what it held, or drop all that was built on it.
    fn settle(&mut self, settled: Settled, outbox: &mut Outbox) {
        let Some(batch) = self.proposed.take() else { return };
        let Some(open) = self.open.as_mut().filter(|open| open.epoch == settled.epoch) else { return };
        match settled.result {
            Ok(rejected) if rejected.is_empty() => open.committed(batch, outbox, &self.releaser),
            Ok(rejected) => {
                tracing::warn!(
                    group = %self.region.group,
                    records = rejected.len() / size_of::<u32>(),
                    "the table refused records of a batch; the region starts anew from the committed state"
                );
                self.close();
            }
            Err(error) => {
                tracing::debug!(group = %self.region.group, error, "a batch was not committed; the region closes");
                self.close();
            }
        }
    }

    /// Tells routers that no region is open here.
    fn turn_away(&self, frames: Vec<(NodeKey, ToRegion)>, outbox: &mut Outbox) {
        let word = ToRouter::Closed { epoch: self.epoch };
        for from in frames.into_iter().map(|(from, _)| from).collect::<HashSet<_>>() {
            outbox.entry(from).or_default().push(word.clone());
        }
    }

    /// Sends the words to their nodes. One that does not leave is not missed: the link is down, and the router opens its
    /// sessions again when it is back.
    fn flush(&self, outbox: Outbox) {
        let group = self.region.group;
        for (to, words) in outbox {
            if to == self.parts.me {
                self.router.receive(to, group, words);
            } else if !self.parts.post.post(to, Kind::REPLY, &mut |out| encode_to_router(group, &words, out)) {
                tracing::debug!(%group, %to, words = words.len(), "answers did not leave: the link is down");
            }
        }
    }

    /// Has the group drop the sessions of origins that have been nobody's for long.
    fn expire(&self, expiry: &mut Expiry) {
        let Some(open) = &self.open else {
            expiry.clear();
            return;
        };
        let held = self.parts.state.lock().sessions().origins();
        for origin in expiry.overdue(&held, &self.parts.origins.live(), Instant::now()) {
            if let Ok(command) = encode_expire(origin) {
                tracing::info!(group = %self.region.group, %origin, "dropping the sessions of a node that is gone");
                self.parts.group.propose(open.leader, command.into(), Box::new(|_| {}));
            }
        }
    }
}
