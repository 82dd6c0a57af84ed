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
use super::protocol::{Announcement, Leading, ToRegion, ToRouter, append, encode_to_router};
use super::{Kinds, Origins, Post, Router};
use crate::actor::ActorSystem;
use crate::actor::entity::Effect;
use crate::base::{GroupId, NodeId, NodeKey, StableMap};
use crate::raft::{Group, LeaderId, Leadership, ProposeError, Proposed, Refusal};
use crate::replication::{SharedState, encode_expire};
use crate::wire::Kind;

/// How often the region lets others run before it proposes, so that what is about to happen shares the log entry.
const LINGER_YIELDS: usize = 3;

/// A batch this large takes no more records, in bytes. With the largest record it stays within a log entry.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// How long to wait before what the group refused for the moment, or what a peer's queue had no room for, is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(5);

/// Words for one router leave in frames of about this many bytes.
const FRAME_BYTES: usize = 1 << 20;

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
    pub(crate) cluster_id: u64,
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
    epoch: u64,
    result: Result<Bytes, ProposeError>,
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
        let task = Task {
            region: region.clone(),
            router,
            parts,
            releaser,
            epoch: 0,
            open: None,
            proposed: None,
            refused: false,
            unsent: Outbox::default(),
            handed_over: None,
        };
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
        {
            let mut events = self.lock();
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
        std::mem::take(&mut *self.lock())
    }

    /// Nothing is taken any more.
    fn shut(&self) {
        let events = std::mem::replace(&mut *self.lock(), Events { closed: true, ..Events::default() });
        drop(events);
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
    /// The group refused the batch for the moment.
    refused: bool,
    /// Words that found no room in the queue of a connected peer.
    unsent: Outbox,
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
        let (cluster_id, leading) = (Some(self.parts.cluster_id), vec![leading]);
        let announcement = Announcement { cluster_id, leading, ..Announcement::default() };
        self.parts.post.broadcast(Kind::ROUTE, &mut |out| append(&announcement, out));
    }

    /// Takes in all that has happened, and proposes what has collected.
    fn step(&mut self) {
        let events = self.region.take();
        let mut outbox = std::mem::take(&mut self.unsent);
        if events.retry {
            self.propose_again();
            self.open.iter_mut().for_each(Open::retry_reads);
        }
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
        let (command, leader, epoch) = (batch.command(), open.leader, open.epoch);
        self.proposed = Some(batch);
        self.hand_in(command, leader, epoch);
    }

    /// Hands a batch in once more that the group refused for the moment.
    fn propose_again(&mut self) {
        if !std::mem::take(&mut self.refused) {
            return;
        }
        match (&self.open, &mut self.proposed) {
            (Some(open), Some(batch)) => {
                let (command, leader, epoch) = (batch.command(), open.leader, open.epoch);
                self.hand_in(command, leader, epoch);
            }
            // The region was closed since: the batch was never in the log, and is dropped.
            _ => self.proposed = None,
        }
    }

    fn hand_in(&self, command: Bytes, leader: LeaderId, epoch: u64) {
        let region = self.region.clone();
        let done = Box::new(move |result: Result<Proposed, ProposeError>| {
            let result = result.map(|proposed| proposed.output);
            region.push(|events| events.settled.push(Settled { epoch, result }));
        });
        self.parts.group.propose(leader, command, done);
    }

    /// A proposal has ended: release what it held, or drop all that was built on it.
    fn settle(&mut self, settled: Settled, outbox: &mut Outbox) {
        let Some(batch) = self.proposed.take() else { return };
        let open = self.open.as_mut().filter(|open| open.epoch == settled.epoch);
        match (settled.result, open) {
            (Ok(output), Some(open)) if output.is_empty() => open.committed(batch, outbox, &self.releaser),
            (Ok(output), open) => {
                let group = self.region.group;
                if !output.is_empty() && open.is_some() {
                    tracing::warn!(%group, "the table refused records of a batch; the region starts anew");
                    self.close();
                }
                // Routers ask again for the answers. What the handlers sent nobody asks for: it goes now.
                for held in batch.held_of_applied(&output) {
                    self.releaser.release(held);
                }
            }
            (Err(ProposeError::NotProposed { why, .. }), Some(_)) if is_passing(&why) => {
                self.proposed = Some(batch);
                self.refused = true;
                self.region.retry_soon();
            }
            (Err(error), Some(_)) => {
                tracing::debug!(group = %self.region.group, %error, "a batch was not committed; the region closes");
                self.close();
            }
            (Err(_), None) => {}
        }
    }

    /// Tells routers that no region is open here.
    fn turn_away(&self, frames: Vec<(NodeKey, ToRegion)>, outbox: &mut Outbox) {
        let word = ToRouter::Closed { epoch: self.epoch };
        for from in frames.into_iter().map(|(from, _)| from).collect::<HashSet<_>>() {
            outbox.entry(from).or_default().push(word.clone());
        }
    }

    /// Sends the words to their nodes. Those that find no room at a connected peer are kept and tried again. If the link
    /// is down they are not missed: the router opens its sessions again when it is back.
    fn flush(&mut self, outbox: Outbox) {
        let group = self.region.group;
        for (to, mut words) in outbox {
            if to == self.parts.me {
                self.router.receive(to, group, words);
                continue;
            }
            while !words.is_empty() {
                let mut bytes = 0;
                let mut fits = |word: &ToRouter| {
                    bytes += word.bytes();
                    bytes <= FRAME_BYTES
                };
                let count = words.iter().take_while(|word| fits(word)).count().max(1);
                let (frame, post) = (&words[..count], &self.parts.post);
                if post.post(to, Kind::REPLY, &mut |out| encode_to_router(group, frame, out)) {
                    words.drain(..count);
                    continue;
                }
                if post.is_connected(to) {
                    self.unsent.insert(to, words);
                    self.region.retry_soon();
                }
                break;
            }
        }
    }

    /// Has the group drop the sessions of origins that have been nobody's for long.
    fn expire(&mut self, expiry: &mut Expiry) {
        let Some(open) = &mut self.open else {
            expiry.clear();
            return;
        };
        let held = self.parts.state.lock().sessions().origins();
        for origin in expiry.overdue(&held, &self.parts.origins.live(), Instant::now()) {
            if let Ok(command) = encode_expire(origin) {
                tracing::info!(group = %self.region.group, %origin, "dropping the sessions of a node that is gone");
                open.expire(origin);
                self.parts.group.propose(open.leader, command.into(), Box::new(|_| {}));
            }
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.region.shut();
    }
}

/// Whether a refusal passes by itself, without the end of the leadership.
fn is_passing(why: &Refusal) -> bool {
    matches!(why, Refusal::NoQuorum | Refusal::Transferring | Refusal::Busy)
}
