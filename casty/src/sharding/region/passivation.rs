//! Entities with nothing to do leave memory. The next request has one made anew from its state.
//!
//! The region alone delivers messages, so it knows which cells have handled all of theirs. It asks such a cell to end, and
//! keeps requests that come for its entity until the cell is gone, or has said that it stays.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Outbox;
use super::cells::{Cell, CellKey};
use super::open::Open;
use super::release::Releaser;
use crate::base::{RequestId, SessionId};
use crate::sharding::protocol::{Outcome, Request};

/// The most requests that wait for one cell to end.
const WAITING_MAX: usize = 65_536;

/// So many cells are looked at, at most, before requests have their turn again.
const LOOKS_MAX: usize = 10_000;

/// So many cells are looked at, at most, for each that may be asked to end since there are too many: most of those that are first
/// in line may have been called since.
const LOOKS: usize = 8;

/// So many are asked to end for each new one, where there are too many.
const FOR_A_NEW_ONE: usize = 2;

/// How long a cell that had something to do when its time was over is left in peace, at least.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The live entities of a node, in all its regions.
pub(crate) struct LiveEntities {
    count: AtomicUsize,
    max: usize,
}

impl LiveEntities {
    /// None yet. Where there are more than `max`, those that have nothing to do are asked to end.
    pub(crate) fn new(max: usize) -> Self {
        Self { count: AtomicUsize::new(0), max }
    }

    pub(super) fn add(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sub(&self, ended: usize) {
        self.count.fetch_sub(ended, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.count.load(Ordering::Relaxed) >= self.max
    }

    /// How many of `ours` are too many, if all regions let go of the same part of theirs.
    fn beyond(&self, ours: usize) -> usize {
        let count = self.count.load(Ordering::Relaxed);
        let beyond = count.saturating_sub(self.max);
        beyond.saturating_mul(ours).div_ceil(count.max(1))
    }
}

/// The cells of an open region that may leave memory, by when they are to be looked at.
#[derive(Default)]
pub(super) struct Idle(BTreeSet<(Instant, CellKey)>);

impl Idle {
    /// Has a cell that is not in line looked at after `idle`. One that is never to leave is not looked at.
    pub(super) fn look_after(&mut self, key: CellKey, cell: &mut Cell, now: Instant, idle: Duration) {
        cell.look_at = now.checked_add(idle);
        self.0.extend(cell.look_at.map(|at| (at, key)));
    }

    /// A cell is gone.
    fn forget(&mut self, key: CellKey, cell: &Cell) {
        if let Some(at) = cell.look_at {
            self.0.remove(&(at, key));
        }
    }
}

impl Open {
    /// Asks the cells to end whose time is over, and others where the node has too many.
    pub(super) fn passivate(&mut self, now: Instant) {
        for _ in 0..LOOKS_MAX {
            if self.idle.0.first().is_none_or(|(at, _)| *at > now) {
                break;
            }
            self.look_at_the_first(now, false);
        }
        self.make_room(self.parts.live.beyond(self.cells.len()), now);
    }

    /// Has others end for a cell that is born, where the node has as many as it may.
    pub(super) fn make_room_for_one(&mut self, now: Instant) {
        if self.parts.live.is_full() {
            self.make_room(FOR_A_NEW_ONE, now);
        }
    }

    fn make_room(&mut self, wanted: usize, now: Instant) {
        let mut asked = 0;
        for _ in 0..wanted.saturating_mul(LOOKS).min(LOOKS_MAX) {
            if asked == wanted || self.idle.0.is_empty() {
                return;
            }
            asked += usize::from(self.look_at_the_first(now, true));
        }
    }

    /// Looks at the cell that is first in line: asks it to end if it has had nothing to do for its time, or, in a `hurry`, since
    /// it was put in line. Says whether it was asked.
    fn look_at_the_first(&mut self, now: Instant, hurry: bool) -> bool {
        let Some((at, key)) = self.idle.0.pop_first() else { return false };
        let Self { cells, idle, committed, .. } = self;
        let Some(cell) = cells.get_mut(key) else { return false };
        cell.look_at = None;
        let after = cell.settings.passivate_after();
        let Some(due) = cell.used.checked_add(after) else { return false };
        let stays = cell.stays_until.is_some_and(|until| until > now);
        if due <= now || (hurry && due <= at) {
            if !stays && cell.has_nothing_to_do(*committed) {
                cell.waiting = Some(Vec::new());
                cell.cell.passivate();
                return true;
            }
            idle.look_after(key, cell, now, after.max(LOOK_AGAIN_AFTER));
        } else {
            idle.look_after(key, cell, cell.used, after);
        }
        false
    }

    /// Has a request wait, if the cell of its entity was asked to end.
    pub(super) fn waits_for_the_end(
        &mut self,
        key: CellKey,
        session: SessionId,
        request: &Request,
        outbox: &mut Outbox,
    ) -> bool {
        let Some(waiting) = self.cells.get_mut(key).and_then(|cell| cell.waiting.as_mut()) else { return false };
        if waiting.len() >= WAITING_MAX {
            self.answer(RequestId { session, sequence: request.sequence }, Outcome::Full, outbox);
            return true;
        }
        waiting.push((session, request.clone()));
        if let Some(intake) = self.intakes.get_mut(&session) {
            intake.started(request.sequence);
        }
        true
    }

    /// A cell that was asked to end does not. What waited for its end goes to it.
    pub(super) fn stays(&mut self, key: CellKey, now: Instant, outbox: &mut Outbox) {
        let Self { cells, idle, .. } = self;
        let Some(cell) = cells.get_mut(key) else { return };
        let waiting = cell.waiting.take().unwrap_or_default();
        cell.stays_until = Some(now + LOOK_AGAIN_AFTER);
        idle.look_after(key, cell, now, cell.settings.passivate_after().max(LOOK_AGAIN_AFTER));
        self.run_all(waiting, outbox);
    }

    /// Takes a cell out that has ended.
    pub(super) fn take_out(&mut self, key: CellKey) -> Option<Cell> {
        self.cells.remove(key).inspect(|cell| self.idle.forget(key, cell))
    }

    /// Lets go of a cell that has ended. What waited for its end goes to the next one of its entity.
    pub(super) fn remove(&mut self, key: CellKey, outbox: &mut Outbox, releaser: &Releaser) {
        let Some(mut cell) = self.take_out(key) else { return };
        cell.sends.take_free().for_each(|parcel| releaser.release(parcel, None));
        self.run_all(cell.waiting.unwrap_or_default(), outbox);
    }

    fn run_all(&mut self, waiting: Vec<(SessionId, Request)>, outbox: &mut Outbox) {
        let mut again = Vec::new();
        for (session, request) in waiting {
            match self.intakes.get(&session) {
                // One before it is sent again, and it with it.
                Some(intake) if intake.is_interrupted() => {
                    again.push(RequestId { session, sequence: request.sequence })
                }
                Some(_) => self.run(session, &request, outbox),
                // Its session is gone, and so is who asked.
                None => {}
            }
        }
        self.have_sent_again(&again, outbox);
    }
}

impl Cell {
    /// Whether it has handled all that it was given, and all that its handlers did is settled, and what they sent has left: the
    /// next cell takes its state for committed, and must overtake nothing.
    fn has_nothing_to_do(&self, committed: u64) -> bool {
        let rests = self.running == 0 && !self.ended && self.waiting.is_none();
        rests && self.is_settled(committed) && self.cell.has_come_to(self.version, self.sends.numbered())
    }
}
