//! How much may be under way to one group, and who waits for a place.

use std::collections::VecDeque;
use std::task::Waker;

use super::route::NewRequest;
use crate::base::{EntityId, StableMap};

/// One entity holds at most this part of a group's window.
const ENTITY_SHARE: usize = 8;

/// Requests from inside a handler may use this part of a window beyond it: they fail there, and never wait.
const NESTED_SHARE: usize = 8;

/// How many of the waiting are looked at when a place is free: those before them wait for their own entity.
const LOOK_AHEAD_MAX: usize = 64;

/// The window of one group.
pub(in crate::sharding) struct Window {
    limit: usize,
    under_way: usize,
    loads: StableMap<(u32, EntityId), usize>,
    waiting: VecDeque<Waiting>,
    next_ticket: u64,
}

struct Waiting {
    ticket: u64,
    request: NewRequest,
    waker: Waker,
}

impl Window {
    /// A window of `limit` places.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, under_way: 0, loads: StableMap::default(), waiting: VecDeque::new(), next_ticket: 0 }
    }

    /// Whether anything is under way or waits.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way > 0 || !self.waiting.is_empty()
    }

    /// Takes a place for `request` if there is one and nobody waits for it already.
    pub(super) fn enter(&mut self, request: &NewRequest) -> bool {
        if request.nested {
            return self.take(request, self.limit + self.limit / NESTED_SHARE, usize::MAX);
        }
        self.waiting.is_empty() && self.take(request, self.limit, self.entity_limit())
    }

    /// Makes `request` wait. The ticket is its place in the queue.
    pub(super) fn wait(&mut self, request: NewRequest, waker: Waker) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.push_back(Waiting { ticket, request, waker });
        ticket
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self, entity_type: u32, entity: &EntityId) {
        self.under_way = self.under_way.saturating_sub(1);
        let key = (entity_type, entity.clone());
        if let Some(load) = self.loads.get_mut(&key) {
            *load -= 1;
            if *load == 0 {
                self.loads.remove(&key);
            }
        }
    }

    /// The next of the waiting that finds a place, in the order in which they came. It has taken the place.
    pub(super) fn admit(&mut self) -> Option<(NewRequest, Waker)> {
        if self.waiting.is_empty() || self.under_way >= self.limit {
            return None;
        }
        let entity_limit = self.entity_limit();
        let load = |waiting: &Waiting| self.loads.get(&waiting.request.key()).copied().unwrap_or(0);
        let place = self.waiting.iter().take(LOOK_AHEAD_MAX).position(|waiting| load(waiting) < entity_limit)?;
        let Waiting { request, waker, .. } = self.waiting.remove(place)?;
        self.take(&request, self.limit, entity_limit);
        Some((request, waker))
    }

    /// Everyone who waits, when there is nothing to wait for any more.
    pub(super) fn dismiss(&mut self) -> Vec<(NewRequest, Waker)> {
        self.waiting.drain(..).map(|waiting| (waiting.request, waiting.waker)).collect()
    }

    /// Those of the waiting whose deadline has passed.
    pub(super) fn overdue(&mut self, now: tokio::time::Instant) -> Vec<(NewRequest, Waker)> {
        let mut overdue = Vec::new();
        let mut place = 0;
        while place < self.waiting.len() {
            if self.waiting[place].request.deadline <= now {
                overdue.extend(self.waiting.remove(place).map(|waiting| (waiting.request, waiting.waker)));
            } else {
                place += 1;
            }
        }
        overdue
    }

    /// `true` once the holder of `ticket` waits no more; else `waker` is told.
    pub(in crate::sharding) fn poll(&mut self, ticket: u64, waker: &Waker) -> bool {
        match self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket) {
            Ok(place) => {
                self.waiting[place].waker.clone_from(waker);
                false
            }
            Err(_) => true,
        }
    }

    /// The holder of `ticket` went away. `true` if it was still waiting.
    pub(in crate::sharding) fn cancel(&mut self, ticket: u64) -> bool {
        let place = self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket);
        place.is_ok_and(|place| self.waiting.remove(place).is_some())
    }

    fn entity_limit(&self) -> usize {
        (self.limit / ENTITY_SHARE).max(1)
    }

    fn take(&mut self, request: &NewRequest, limit: usize, entity_limit: usize) -> bool {
        if self.under_way >= limit {
            return false;
        }
        let load = self.loads.entry(request.key()).or_insert(0);
        if *load >= entity_limit {
            return false;
        }
        *load += 1;
        self.under_way += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::time::Instant;

    use super::*;
    use crate::actor::Access;

    fn request(entity: &str) -> NewRequest {
        NewRequest {
            entity_type: 1,
            shard: 0,
            entity: entity.into(),
            tag: 0,
            access: Access::Write,
            body: Bytes::new(),
            reply: None,
            deadline: Instant::now(),
            nested: false,
        }
    }

    #[test]
    fn one_entity_holds_an_eighth_and_the_rest_stays_free() {
        let mut window = Window::new(16);
        assert!(window.enter(&request("hot")) && window.enter(&request("hot")));
        assert!(!window.enter(&request("hot")));
        assert!(window.enter(&request("cold")));
    }

    #[test]
    fn who_waits_for_a_hot_entity_does_not_hold_up_the_others() {
        let mut window = Window::new(8);
        assert!(window.enter(&request("hot")));
        let hot = window.wait(request("hot"), Waker::noop().clone());
        assert!(!window.enter(&request("cold")), "nobody overtakes in `enter`: the queue decides");
        let cold = window.wait(request("cold"), Waker::noop().clone());
        assert_eq!(window.admit().unwrap().0.entity.as_str(), "cold");
        assert!(window.admit().is_none());
        assert!(window.poll(cold, Waker::noop()) && !window.poll(hot, Waker::noop()));
        window.leave(1, &"hot".into());
        assert_eq!(window.admit().unwrap().0.entity.as_str(), "hot");
    }

    #[test]
    fn nested_requests_have_a_reserve_and_never_wait() {
        let mut window = Window::new(8);
        for entity in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            assert!(window.enter(&request(entity)));
        }
        let nested = || NewRequest { nested: true, ..request("i") };
        assert!(!window.enter(&request("i")));
        assert!(window.enter(&nested()));
        assert!(!window.enter(&nested()), "the reserve has an end");
    }

    #[test]
    fn places_come_back() {
        let mut window = Window::new(8);
        assert!(window.enter(&request("a")));
        window.leave(1, &"a".into());
        assert!(!window.is_busy() && window.loads.is_empty());
    }
}
