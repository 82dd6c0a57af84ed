//! The way to one group: who leads it, what is under way to it, and what happens when the leader changes.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::session::{Pending, Session};
use super::window::Window;
use super::{RouterSettings, Way};
use crate::actor::reply::ReplySlot;
use crate::actor::{Access, AskFailure};
use crate::base::{EntityId, GroupId, NodeKey, SessionId, StableMap};
use crate::sharding::protocol::{Call, Leading, Outcome, Request, ToRegion};

/// The requests of this node to one group.
pub(in crate::sharding) struct Route {
    group: GroupId,
    origin: NodeKey,
    patience: Duration,
    ask_timeout: Duration,
    leader: Option<Leading>,
    /// Term, epoch, and whether it was a closing, of the newest word of any leader: older ones are late.
    newest: (u64, u64, bool),
    leaderless_since: Option<Instant>,
    sessions: StableMap<SessionId, Session>,
    /// How far a session may run ahead of its oldest unanswered request: what is in between is kept by every replica.
    span_max: u64,
    pub(in crate::sharding) window: Window,
}

/// A session may run ahead of its oldest unanswered request by this many windows.
const SPAN_WINDOWS: u64 = 4;

/// A request that has no number yet.
pub(in crate::sharding) struct NewRequest {
    pub(in crate::sharding) entity_type: u32,
    pub(in crate::sharding) shard: u32,
    pub(in crate::sharding) entity: EntityId,
    pub(in crate::sharding) tag: u32,
    pub(in crate::sharding) access: Access,
    pub(in crate::sharding) body: Bytes,
    pub(in crate::sharding) reply: Option<Arc<dyn ReplySlot>>,
    pub(in crate::sharding) deadline: Instant,
    /// Sent from inside a handler of an entity.
    pub(in crate::sharding) nested: bool,
}

impl NewRequest {
    /// Which entity it is for.
    pub(super) fn key(&self) -> (u32, EntityId) {
        (self.entity_type, self.entity.clone())
    }
}

/// What became of a request that was handed in.
pub(in crate::sharding) enum Submit {
    /// It is under way.
    Taken,
    /// It waits for a place, under this ticket.
    Waiting(u64),
    /// There is no place, and it may not wait.
    Full(NewRequest),
    /// There is no leader, and has not been for too long.
    Unavailable(NewRequest, String),
}

/// A request that ended, and how. Its asker is told once no lock is held.
pub(in crate::sharding) struct Finished {
    pub(in crate::sharding) entity: EntityId,
    pub(in crate::sharding) reply: Option<Arc<dyn ReplySlot>>,
    pub(in crate::sharding) end: Result<Bytes, AskFailure>,
}

impl Route {
    /// A way to a group whose leader is not known.
    pub(super) fn new(group: GroupId, origin: NodeKey, settings: &RouterSettings, now: Instant) -> Self {
        Self {
            group,
            origin,
            patience: settings.patience,
            ask_timeout: settings.ask_timeout,
            leader: None,
            newest: (0, 0, false),
            leaderless_since: Some(now),
            sessions: StableMap::default(),
            span_max: SPAN_WINDOWS * settings.window as u64,
            window: Window::new(settings.window),
        }
    }

    /// The leader, if its region is open.
    pub(super) fn leader(&self) -> Option<Leading> {
        self.leader
    }

    /// Whether requests are under way or wait.
    pub(super) fn is_busy(&self) -> bool {
        self.window.is_busy()
    }

    /// Takes a request, or makes it wait if it brought a waker.
    pub(super) fn submit(&mut self, request: NewRequest, waker: Option<&Waker>, way: &Way) -> Submit {
        if let Some(reason) = self.out_of_patience(Instant::now()) {
            return Submit::Unavailable(request, reason);
        }
        let id = SessionId { origin: self.origin, entity_type: request.entity_type, shard: request.shard };
        if self.sessions.get(&id).is_some_and(|session| session.span() >= self.span_max) {
            return Submit::Full(request);
        }
        if self.window.enter(&request) {
            self.start(request, way);
            return Submit::Taken;
        }
        match waker {
            Some(waker) if !request.nested => Submit::Waiting(self.window.wait(request, waker.clone())),
            _ => Submit::Full(request),
        }
    }

    /// A request ended at its region.
    pub(super) fn answer(
        &mut self,
        id: SessionId,
        counter: u64,
        sequence: u64,
        outcome: Outcome,
        finished: &mut Vec<Finished>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.heard(Instant::now());
        let applied = matches!(outcome, Outcome::Value(_) | Outcome::Failed);
        if !applied && session.open != Some(counter) {
            // A refusal of an earlier leader. The one that has the request now may have applied it.
            return;
        }
        let end = match outcome {
            Outcome::Value(bytes) => Ok(bytes),
            Outcome::Failed => Err(AskFailure::Failed),
            Outcome::Full => Err(AskFailure::MailboxFull),
            Outcome::Unavailable(reason) => Err(AskFailure::Unavailable { reason }),
            Outcome::Unknown(reason) => Err(AskFailure::Unknown { reason }),
        };
        self.end(id, sequence, end, finished);
    }

    /// The session is not open at the leader any more: the next tick opens it.
    pub(super) fn shut(&mut self, id: SessionId, counter: u64) {
        if let Some(session) = self.sessions.get_mut(&id)
            && session.open == Some(counter)
        {
            session.open = None;
        }
    }

    /// The region on `from` is closed; the last one there was `epoch`.
    pub(super) fn closed(&mut self, from: NodeKey, epoch: u64, now: Instant) {
        if self.leader.is_some_and(|leader| leader.leader.node == from && leader.epoch <= epoch) {
            self.lose_leader(now);
        }
    }

    /// The link to `peer` broke.
    pub(super) fn peer_lost(&mut self, peer: NodeKey, now: Instant) {
        if self.leader.is_some_and(|leader| leader.leader.node == peer) {
            self.lose_leader(now);
        }
    }

    /// A node says that it leads, or no longer.
    pub(super) fn learn(&mut self, word: Leading, way: &Way, now: Instant) {
        let age = (word.leader.term, word.epoch, !word.open);
        if age < self.newest {
            return;
        }
        self.newest = age;
        if !word.open {
            self.closed(word.leader.node, word.epoch, now);
            return;
        }
        if self.leader == Some(word) {
            return;
        }
        self.leader = Some(word);
        self.leaderless_since = None;
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.open = None;
                if !session.is_idle() {
                    reopen(self.group, id, session, word, way);
                }
            }
        }
    }

    /// Ends what is overdue, opens what has to be opened, and gives up where there has been no leader for too long.
    pub(super) fn tick(&mut self, now: Instant, way: &Way, finished: &mut Vec<Finished>) {
        if let Some(reason) = self.out_of_patience(now) {
            self.give_up(&reason, finished);
            return;
        }
        self.end_overdue(now, finished);
        for (id, session) in &mut self.sessions {
            if session.is_silent(now) {
                session.open = None;
            }
            if let (Some(leader), None, false) = (self.leader, session.open, session.is_idle()) {
                reopen(self.group, *id, session, leader, way);
            }
        }
        self.let_in(way);
    }

    /// The cluster refuses the origin of these requests for good: give up what is under way, and go on under another.
    pub(super) fn renew(&mut self, origin: NodeKey, finished: &mut Vec<Finished>) {
        self.give_up("the cluster had given this node up and dropped its sessions", finished);
        self.sessions.clear();
        self.origin = origin;
    }

    /// Ends everything: what never left is certainly not applied, what left may be.
    pub(super) fn give_up(&mut self, reason: &str, finished: &mut Vec<Finished>) {
        for (id, session) in &mut self.sessions {
            session.open = None;
            for sequence in session.find(|_| true) {
                let Some(Pending { entity, reply, sent, .. }) = session.take(sequence) else { continue };
                self.window.leave(id.entity_type, &entity);
                let reason = reason.to_owned();
                let end = if sent { AskFailure::Unknown { reason } } else { AskFailure::Unavailable { reason } };
                finished.push(Finished { entity, reply, end: Err(end) });
            }
        }
        for (request, waker) in self.window.dismiss() {
            let end = Err(AskFailure::Unavailable { reason: reason.to_owned() });
            finished.push(Finished { entity: request.entity, reply: request.reply, end });
            waker.wake();
        }
    }

    /// Numbers a request that has its place, and sends it if the leader is known.
    fn start(&mut self, request: NewRequest, way: &Way) {
        let NewRequest { entity_type, shard, entity, tag, access, body, reply, deadline, nested: _ } = request;
        let id = SessionId { origin: self.origin, entity_type, shard };
        let (group, leader) = (self.group, self.leader);
        let session = self.session(id);
        let was_idle = session.is_idle();
        let sequence = session.push(Pending { entity, tag, access, body, reply, deadline, sent: false });
        let Some(leader) = leader else { return };
        let Some(counter) = session.open else {
            // Where something waits already, the last opening did not get through: the next tick tries again.
            if was_idle {
                reopen(group, id, session, leader, way);
            }
            return;
        };
        let floor = session.floor();
        let Some(pending) = session.last() else { return };
        if !send(group, id, counter, sequence, floor, pending, leader.leader.node, way) {
            session.open = None;
        }
    }

    /// Ends one request, and frees its place.
    fn end(&mut self, id: SessionId, sequence: u64, end: Result<Bytes, AskFailure>, finished: &mut Vec<Finished>) {
        let Some(pending) = self.sessions.get_mut(&id).and_then(|session| session.take(sequence)) else { return };
        self.window.leave(id.entity_type, &pending.entity);
        finished.push(Finished { entity: pending.entity, reply: pending.reply, end });
    }

    /// Gives freed places to those who wait.
    pub(super) fn let_in(&mut self, way: &Way) {
        while let Some((request, waker)) = self.window.admit() {
            self.start(request, way);
            waker.wake();
        }
    }

    fn end_overdue(&mut self, now: Instant, finished: &mut Vec<Finished>) {
        let after = self.ask_timeout;
        let overdue = |session: &Session| session.find(|pending| pending.deadline <= now);
        let late: Vec<_> = self.sessions.iter().map(|(id, session)| (*id, overdue(session))).collect();
        for (id, sequences) in late {
            for sequence in sequences {
                self.end(id, sequence, Err(AskFailure::Timeout { after }), finished);
            }
        }
        for (request, waker) in self.window.overdue(now) {
            finished.push(Finished { entity: request.entity, reply: request.reply, end: Err(AskFailure::MailboxFull) });
            waker.wake();
        }
    }

    fn lose_leader(&mut self, now: Instant) {
        self.leader = None;
        self.leaderless_since.get_or_insert(now);
        for session in self.sessions.values_mut() {
            session.open = None;
        }
    }

    fn out_of_patience(&self, now: Instant) -> Option<String> {
        let since = self.leaderless_since?;
        (now.duration_since(since) >= self.patience).then(|| {
            let group = self.group;
            format!("group {group} has had no leader for {:?}: does a majority of its nodes run?", now - since)
        })
    }

    fn session(&mut self, id: SessionId) -> &mut Session {
        self.sessions.entry(id).or_default()
    }
}

/// Opens a session at the leader, and sends everything from its floor on: requests, and skips for what is answered or
/// given up, so that the leader's cursor can pass.
fn reopen(group: GroupId, id: SessionId, session: &mut Session, leader: Leading, way: &Way) {
    let to = leader.leader.node;
    let (first, fresh, counter) = (session.floor(), session.next(), way.next_counter());
    let fresh = session.places().find(|(_, place)| place.as_ref().is_some_and(|p| !p.sent)).map_or(fresh, |(at, _)| at);
    let what = Call::Open { leader: leader.leader, epoch: leader.epoch, first, fresh };
    if !way.send(to, ToRegion { group, session: id, counter, what }) {
        return;
    }
    for (sequence, place) in session.places() {
        let sent = match place {
            Some(pending) => send(group, id, counter, sequence, first, pending, to, way),
            None => way.send(to, ToRegion { group, session: id, counter, what: Call::Skip { sequence } }),
        };
        if !sent {
            return;
        }
    }
    session.open = Some(counter);
    session.opened(Instant::now());
}

#[expect(clippy::too_many_arguments, reason = "the parts of one frame, borrowed from a session that is being walked")]
fn send(
    group: GroupId,
    session: SessionId,
    counter: u64,
    sequence: u64,
    floor: u64,
    pending: &mut Pending,
    to: NodeKey,
    way: &Way,
) -> bool {
    let Pending { entity, tag, access, body, .. } = &*pending;
    let request = Request { sequence, floor, entity: entity.clone(), tag: *tag, access: *access, body: body.clone() };
    let sent = way.send(to, ToRegion { group, session, counter, what: Call::Request(request) });
    pending.sent |= sent;
    sent
}
