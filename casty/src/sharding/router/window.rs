//! How much may be under way to one group, and who waits for a place.

use std::collections::VecDeque;
use std::task::Waker;

use tokio::time::Instant;

use super::route::NewRequest;
use crate::base::{EntityId, StableMap};

/// One entity holds at most this part of a group's window.
const ENTITY_SHARE: usize = 8;

/// Requests from inside a handler may use this part of a window beyond it: they fail there, and never wait.
const NESTED_SHARE: usize = 8;

/// The window of one group.
///
/// Who waits for a place in the window stands in one queue. Who waits for the share of its entity stands in a queue of
/// that entity, and holds nobody else up. Both are first come, first served.
pub(in crate::sharding) struct Window {
    limit: usize,
    under_way: usize,
    loads: StableMap<Key, usize>,
    /// For a place in the window.
    queue: VecDeque<Waiting>,
    /// For the share of an entity.
    blocked: StableMap<Key, VecDeque<Waiting>>,
    /// Whom to wake. A ticket that is not here waits no more, wherever it still stands.
    wakers: StableMap<u64, Waker>,
    next_ticket: u64,
}

type Key = (u32, EntityId);

struct Waiting {
    ticket: u64,
    request: NewRequest,
}

impl Window {
    /// A window of `limit` places.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            under_way: 0,
            loads: StableMap::default(),
            queue: VecDeque::new(),
            blocked: StableMap::default(),
            wakers: StableMap::default(),
            next_ticket: 0,
        }
    }

    /// Whether anything is under way or waits.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way > 0 || !self.wakers.is_empty()
    }

    /// Takes a place for `request` if there is one and nobody waits for it already.
    pub(super) fn enter(&mut self, request: &NewRequest) -> bool {
        let key = request.key();
        if request.nested {
            return self.under_way < self.limit + self.limit / NESTED_SHARE && self.take(key);
        }
        self.queue.is_empty() && self.under_way < self.limit && self.has_share(&key) && self.take(key)
    }

    /// Makes `request` wait. The ticket is its place in line.
    pub(super) fn wait(&mut self, request: NewRequest, waker: Waker) -> u64 {
        let (ticket, key) = (self.next_ticket, request.key());
        self.next_ticket += 1;
        self.wakers.insert(ticket, waker);
        if self.has_share(&key) {
            self.queue.push_back(Waiting { ticket, request });
        } else {
            self.blocked.entry(key).or_default().push_back(Waiting { ticket, request });
        }
        ticket
    }

    /// Gives a place back, and the share of the entity to the next that waits for it.
    pub(super) fn leave(&mut self, entity_type: u32, entity: &EntityId) {
        self.under_way = self.under_way.saturating_sub(1);
        let key = (entity_type, entity.clone());
        if let Some(load) = self.loads.get_mut(&key) {
            *load -= 1;
            if *load == 0 {
                self.loads.remove(&key);
            }
        }
        if let Some(line) = self.blocked.get_mut(&key) {
            while let Some(next) = line.pop_front() {
                if self.wakers.contains_key(&next.ticket) {
                    self.queue.push_back(next);
                    break;
                }
            }
            if line.is_empty() {
                self.blocked.remove(&key);
            }
        }
    }

    /// The next of the waiting that finds a place. It has taken the place.
    pub(super) fn admit(&mut self) -> Option<(NewRequest, Waker)> {
        while self.under_way < self.limit {
            let next = self.queue.pop_front()?;
            if !self.wakers.contains_key(&next.ticket) {
                continue;
            }
            let key = next.request.key();
            if self.loads.get(&key).copied().unwrap_or(0) >= self.entity_limit() {
                // Others of its entity were let in since it came here. It goes back to its place among its own.
                let line = self.blocked.entry(key).or_default();
                let place = line.partition_point(|other| other.ticket < next.ticket);
                line.insert(place, next);
                continue;
            }
            self.take(key);
            let waker = self.wakers.remove(&next.ticket)?;
            return Some((next.request, waker));
        }
        None
    }

    /// Everyone who waits, when there is nothing to wait for any more.
    pub(super) fn dismiss(&mut self) -> Vec<(NewRequest, Waker)> {
        let all = self.queue.drain(..).chain(self.blocked.drain().flat_map(|(_, line)| line));
        let mut dismissed = Vec::new();
        for Waiting { ticket, request } in all {
            dismissed.extend(self.wakers.remove(&ticket).map(|waker| (request, waker)));
        }
        dismissed
    }

    /// Those of the waiting whose deadline has passed. Those that have left are forgotten on the way.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<(NewRequest, Waker)> {
        let Self { queue, blocked, wakers, .. } = self;
        let mut overdue = Vec::new();
        for line in blocked.values_mut().chain([queue]) {
            let mut place = 0;
            while let Some(waiting) = line.get(place) {
                let here = wakers.contains_key(&waiting.ticket);
                if here && waiting.request.deadline > now {
                    place += 1;
                } else if let Some(Waiting { ticket, request }) = line.remove(place) {
                    overdue.extend(wakers.remove(&ticket).map(|waker| (request, waker)));
                }
            }
        }
        blocked.retain(|_, line| !line.is_empty());
        overdue
    }

    /// `true` once the holder of `ticket` waits no more; else `waker` is told.
    pub(in crate::sharding) fn poll(&mut self, ticket: u64, waker: &Waker) -> bool {
        match self.wakers.get_mut(&ticket) {
            Some(place) => {
                place.clone_from(waker);
                false
            }
            None => true,
        }
    }

    /// The holder of `ticket` went away. `true` if it was still waiting.
    pub(in crate::sharding) fn cancel(&mut self, ticket: u64) -> bool {
        self.wakers.remove(&ticket).is_some()
    }

    fn entity_limit(&self) -> usize {
        (self.limit / ENTITY_SHARE).max(1)
    }

    /// Whether the entity's share has room, and nobody waits for it.
    fn has_share(&self, key: &Key) -> bool {
        !self.blocked.contains_key(key) && self.loads.get(key).copied().unwrap_or(0) < self.entity_limit()
    }

    fn take(&mut self, key: Key) -> bool {
        *self.loads.entry(key).or_insert(0) += 1;
        self.under_way += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Access;
    use bytes::Bytes;

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
        let hot: Vec<_> = (0..100).map(|_| window.wait(request("hot"), Waker::noop().clone())).collect();
        assert!(window.admit().is_none());
        for cold in 0..7 {
            assert!(window.enter(&request(&format!("cold-{cold}"))), "7/8 of the window are for the others");
        }
        assert!(hot.iter().all(|hot| !window.poll(*hot, Waker::noop())));
        window.leave(1, &"hot".into());
        assert_eq!(window.admit().unwrap().0.entity.as_str(), "hot");
        assert!(window.poll(hot[0], Waker::noop()) && !window.poll(hot[1], Waker::noop()));
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
    fn who_waits_for_the_window_is_let_in_in_the_order_of_coming() {
        let mut window = Window::new(8);
        for entity in 0..8 {
            assert!(window.enter(&request(&format!("{entity}"))));
        }
        let tickets: Vec<_> = ["a", "b", "c"].map(|e| window.wait(request(e), Waker::noop().clone())).into();
        assert!(window.cancel(tickets[1]) && !window.cancel(tickets[1]));
        for entity in 0..3 {
            window.leave(1, &format!("{entity}").into());
        }
        assert_eq!(window.admit().unwrap().0.entity.as_str(), "a");
        assert!(!window.enter(&request("d")), "nobody overtakes who waits");
        assert_eq!(window.admit().unwrap().0.entity.as_str(), "c");
        assert!(window.admit().is_none());
    }

    #[test]
    fn messages_to_one_entity_are_let_in_in_order_wherever_they_waited() {
        let mut window = Window::new(16);
        let numbered = |tag| NewRequest { tag, ..request("e") };
        assert!(window.enter(&numbered(0)) && window.enter(&numbered(1)));
        for tag in 2..8 {
            window.wait(numbered(tag), Waker::noop().clone());
        }
        let mut order = Vec::new();
        for _ in 0..6 {
            window.leave(1, &"e".into());
            order.extend(std::iter::from_fn(|| window.admit()).map(|(request, _)| request.tag));
        }
        assert_eq!(order, [2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn places_come_back() {
        let mut window = Window::new(8);
        assert!(window.enter(&request("a")));
        window.leave(1, &"a".into());
        assert!(!window.is_busy() && window.loads.is_empty());
    }
}
