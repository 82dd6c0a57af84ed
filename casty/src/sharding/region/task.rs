//! The task of a region: what it does, and when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior};

use super::batch::Batch;
use super::expiry::Expiry;
use super::open::Open;
use super::release::Releaser;
use super::unsent::shorten;
use super::{Outbox, Region, RegionParts, Settled};
use crate::base::NodeKey;
use crate::raft::{LeaderId, Leadership, ProposeError, Proposed, Refusal};
use crate::replication::encode_expire;
use crate::sharding::Router;
use crate::sharding::protocol::{Announcement, Leading, ToRegion, ToRouter, WORDS_BYTES_MAX, append, encode_to_router};
use crate::wire::Kind;

/// How often the region lets others run before it proposes, so that what is about to happen shares the log entry.
const LINGER_YIELDS: usize = 3;

/// How often a leader looks for sessions whose origins are gone.
const EXPIRY_PERIOD: Duration = Duration::from_secs(10);

/// How often it looks for entities that have had nothing to do.
const PASSIVATION_PERIOD: Duration = Duration::from_secs(1);

/// How long a leader whose program lacks an entity type waits before it hands the group over again.
const HAND_OVER_PERIOD: Duration = Duration::from_secs(5);

/// The task of a region.
pub(super) struct Task {
    region: Arc<Region>,
    router: Arc<Router>,
    parts: RegionParts,
    releaser: Releaser,
    /// A leadership under which nothing opens any more. It is over, and what was proposed under it may be committed by
    /// another: nobody could tell here what a request has done that comes again.
    over: Option<LeaderId>,
    /// How often the region was opened.
    epoch: u64,
    open: Option<Open>,
    /// The batch on its way through the log. It stays here when the region closes: nothing opens before it is settled.
    proposed: Option<Batch>,
    /// The group refused the batch for the moment.
    refused: bool,
    /// Words that found no room in the queue of a connected peer, which are [bounded](shorten) for each.
    unsent: Outbox,
    /// When the group was last handed over for want of an entity type.
    handed_over: Option<Instant>,
}

impl Task {
    /// The task of `region`, which is closed.
    pub(super) fn new(region: Arc<Region>, router: Arc<Router>, parts: RegionParts) -> Self {
        Self {
            region,
            router,
            releaser: Releaser::start(&parts.system),
            parts,
            over: None,
            epoch: 0,
            open: None,
            proposed: None,
            refused: false,
            unsent: Outbox::default(),
            handed_over: None,
        }
    }

    /// Runs the region for as long as its group runs.
    pub(super) async fn run(mut self) {
        let mut leadership = self.parts.group.leadership();
        let mut period = tokio::time::interval(EXPIRY_PERIOD);
        let mut idleness = tokio::time::interval(PASSIVATION_PERIOD);
        idleness.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut expiry = Expiry::default();
        let mut learned = self.parts.kinds.learned();
        loop {
            self.follow(*leadership.borrow_and_update());
            tokio::select! {
                _ = learned.changed() => self.start_singletons(),
                () = self.region.notify.notified() => {}
                changed = leadership.changed() => if changed.is_err() { break },
                now = idleness.tick(), if self.has_entities() => self.open.iter_mut().for_each(|open| open.passivate(now)),
                _ = period.tick() => {
                    self.expire(&mut expiry);
                    // One that ended by itself gets another chance.
                    self.start_singletons();
                }
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

    fn has_entities(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.cells.len() > 0)
    }

    /// Opens and closes with the leadership of this node.
    fn follow(&mut self, leadership: Leadership) {
        if self.open.as_ref().is_some_and(|open| Some(open.leader) != leadership.ours) {
            self.close();
        }
        if let (Some(leader), None, None) = (leadership.ours, &self.open, &self.proposed)
            && self.over != Some(leader)
        {
            self.open(leader);
        }
    }

    fn open(&mut self, leader: LeaderId) {
        self.epoch += 1;
        let epoch = self.epoch;
        tracing::debug!(group = %self.region.group, term = leader.term, epoch, "region opened");
        self.open = Some(Open::new(leader, epoch, self.parts.clone(), self.region.clone(), self.router.clone()));
        self.announce(Leading { group: self.region.group, leader, epoch, open: true });
        self.start_singletons();
    }

    /// Starts the singletons of the group that do not run.
    fn start_singletons(&mut self) {
        let Some(open) = &mut self.open else { return };
        open.start_singletons();
        if open.lacks_a_type {
            // The next step hands the group over, and comes by itself only with a request.
            self.region.notify.notify_one();
        }
    }

    fn close(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        open.let_all_go(&self.releaser);
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
                for (epoch, word) in events.stores {
                    open.take_word(epoch, word, &mut outbox, &self.releaser);
                }
                for (source, effect) in events.effects {
                    open.effect(source, effect, &mut outbox, &self.releaser);
                }
                for (from, frame) in events.frames {
                    open.frame(from, frame, &mut outbox);
                }
                open.save(&mut outbox, &self.releaser);
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
        let group = self.parts.group.clone();
        let voters = group.roster().voters;
        // The next one in their order, so that each has its turn.
        let Some(to) = voters.range(me..).nth(1).or(voters.first()).copied().filter(|node| *node != me) else { return };
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
            region.push(|events| events.settled.push(Settled { leader, epoch, result }));
        });
        self.parts.group.propose(leader, command, done);
    }

    /// A proposal has ended: release what it held, or drop all that was built on it.
    fn settle(&mut self, settled: Settled, outbox: &mut Outbox) {
        let Some(batch) = self.proposed.take() else { return };
        if settled.result.as_ref().is_err_and(ends_leadership) {
            self.over = Some(settled.leader);
        }
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
                for parcel in batch.sends_of_applied(&output) {
                    self.releaser.release(parcel, None);
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
        for from in frames.into_iter().map(|(from, _)| from).collect::<BTreeSet<_>>() {
            outbox.entry(from).or_default().push(word.clone());
        }
    }

    /// Sends the words to their nodes. Those that find no room at a connected peer are kept and tried again, unless there are too
    /// many. If the link is down they are not missed: the router opens its sessions again when it is back.
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
                    bytes <= WORDS_BYTES_MAX
                };
                let count = words.iter().take_while(|word| fits(word)).count().max(1);
                let (frame, post) = (&words[..count], &self.parts.post);
                if post.post(to, Kind::REPLY, &mut |out| encode_to_router(group, frame, out)) {
                    words.drain(..count);
                    continue;
                }
                if post.is_linked(to) {
                    shorten(&mut words);
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
        let mut held = self.parts.state.lock().sessions().origins();
        held.extend(open.origins_outside());
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

/// Whether the leadership is over under which something was proposed.
fn ends_leadership(error: &ProposeError) -> bool {
    match error {
        ProposeError::Lost { .. } => true,
        ProposeError::NotProposed { why, .. } => matches!(why, Refusal::NotLeader { .. } | Refusal::Stopped),
    }
}

/// Whether a refusal passes by itself, without the end of the leadership.
fn is_passing(why: &Refusal) -> bool {
    matches!(why, Refusal::NoQuorum | Refusal::Transferring | Refusal::Busy)
}
