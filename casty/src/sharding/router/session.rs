//! The requests of this node to one shard: numbered, and kept until they are answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::actor::Access;
use crate::actor::reply::ReplySlot;
use crate::base::EntityId;

/// A request that is not answered.
pub(super) struct Pending {
    pub(super) entity: EntityId,
    pub(super) tag: u32,
    pub(super) access: Access,
    /// Kept, so that it can be sent again to another leader.
    pub(super) body: Bytes,
    pub(super) reply: Option<Arc<dyn ReplySlot>>,
    pub(super) deadline: Instant,
    /// Whether it ever left: then it may have been applied.
    pub(super) sent: bool,
}

/// The numbered requests. Everything below `floor` is answered or given up; above it, an answered place is empty.
#[derive(Default)]
pub(super) struct Session {
    floor: u64,
    places: VecDeque<Option<Pending>>,
    /// The counter under which it is open at the leader; `None` when it has to be opened.
    pub(super) open: Option<u64>,
    /// When it counts as silent, if it hears nothing before.
    silent_at: Option<Instant>,
    /// How often it was opened again in vain.
    silences: u32,
}

/// A session that hears nothing of its leader for so long opens again, in case that an answer was lost. Whatever runs
/// there goes on. A handler may just be slow, so each time it waits twice as long as before.
const SILENCE: Duration = Duration::from_secs(1);

/// How often the silence doubles.
const SILENCE_DOUBLINGS: u32 = 4;

impl Session {
    /// An answer came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.silences = 0;
        self.silent_at = Some(now + SILENCE);
    }

    /// It has been opened.
    pub(super) fn opened(&mut self, now: Instant) {
        self.silent_at = Some(now + SILENCE * (1 << self.silences.min(SILENCE_DOUBLINGS)));
        self.silences = self.silences.saturating_add(1);
    }

    /// Whether it has heard nothing for too long, though something is under way.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        self.open.is_some() && !self.is_idle() && self.silent_at.is_some_and(|at| at <= now)
    }

    /// From the oldest unanswered request to the newest: how many numbers it spans.
    pub(super) fn span(&self) -> u64 {
        self.places.len() as u64
    }

    /// The newest request, unless it is answered.
    pub(super) fn last(&mut self) -> Option<&mut Pending> {
        self.places.back_mut()?.as_mut()
    }

    /// Everything below is answered.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// The number that the next request gets.
    pub(super) fn next(&self) -> u64 {
        self.floor + self.places.len() as u64
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.places.is_empty()
    }

    /// Numbers a request.
    pub(super) fn push(&mut self, request: Pending) -> u64 {
        let sequence = self.next();
        if self.is_idle() {
            // What went before says nothing about the one that comes now.
            self.silences = 0;
            self.silent_at = Some(Instant::now() + SILENCE);
        }
        self.places.push_back(Some(request));
        sequence
    }

    /// Takes the request with this number; `None` if it is answered already. The floor rises over empty places.
    pub(super) fn take(&mut self, sequence: u64) -> Option<Pending> {
        let place = usize::try_from(sequence.checked_sub(self.floor)?).ok()?;
        let request = self.places.get_mut(place)?.take();
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.floor += 1;
        }
        request
    }

    /// Every place from the floor on, with its number.
    pub(super) fn places(&mut self) -> impl Iterator<Item = (u64, Option<&mut Pending>)> {
        (self.floor..).zip(self.places.iter_mut().map(Option::as_mut))
    }

    /// The numbers of the requests that `ended` picks.
    pub(super) fn find(&self, ended: impl Fn(&Pending) -> bool) -> Vec<u64> {
        let picked = |place: &Option<Pending>| place.as_ref().is_some_and(&ended);
        (self.floor..).zip(&self.places).filter(|(_, place)| picked(place)).map(|(sequence, _)| sequence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Pending {
        let (entity, tag, access, body) = ("a".into(), 0, Access::Write, Bytes::new());
        Pending { entity, tag, access, body, reply: None, deadline: Instant::now(), sent: false }
    }

    #[test]
    fn the_floor_passes_only_what_is_answered() {
        let mut session = Session::default();
        for expected in 0..4 {
            assert_eq!(session.push(request()), expected);
        }
        assert!(session.take(1).is_some());
        assert_eq!(session.floor(), 0, "0 is not answered");
        assert!(session.take(1).is_none(), "an answer counts once");
        assert!(session.take(0).is_some());
        assert_eq!((session.floor(), session.next()), (2, 4));
        assert!(session.take(0).is_none() && session.take(9).is_none());
    }
}
