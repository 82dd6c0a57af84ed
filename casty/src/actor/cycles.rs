//! Asks that would wait for each other for ever.
//!
//! While an actor's handler is polled, the thread knows whose it is. An ask that it makes is an edge from it to the actor
//! that is asked, for as long as the asker waits. Each actor handles one message at a time, so a ring of edges is a
//! deadlock: the ask that would close it is refused. (The wait-for graph of Holt, "Some Deadlock Properties of Computer
//! Systems", 1972, section 2.)

use std::cell::Cell;
use std::collections::hash_map::Entry;

use parking_lot::Mutex;

use crate::base::StableMap;

/// Into how many parts the edges are split, so that askers on many threads do not queue at one lock.
const PARTS: usize = 16;

thread_local! {
    static CURRENT: Cell<u64> = const { Cell::new(NOBODY) };
}

/// No actor has this number.
pub(super) const NOBODY: u64 = 0;

/// Which actor's handler is polled on this thread at this moment, or [`NOBODY`].
#[inline]
pub(super) fn current() -> u64 {
    CURRENT.try_with(Cell::get).unwrap_or(NOBODY)
}

/// Polls as this actor for as long as it lives.
pub(super) struct Entered(u64);

impl Entered {
    #[inline]
    pub(super) fn new(actor: u64) -> Self {
        Self(CURRENT.try_with(|current| current.replace(actor)).unwrap_or(NOBODY))
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(self.0));
    }
}

/// Who waits for whom in one system. It is as large as there are asks from handlers under way.
#[derive(Default)]
pub(crate) struct Waits([Mutex<StableMap<u64, Asked>>; PARTS]);

/// Whom one actor waits for.
#[derive(Clone)]
struct Asked {
    first: u64,
    /// Most handlers have one ask under way.
    others: Vec<u64>,
}

impl Waits {
    /// `asker` is about to wait for `asked`. `Err`: then they would wait for each other; who waits for whom, in order, from
    /// the asked one to the asker.
    pub(super) fn enter(&self, asker: u64, asked: u64) -> Result<(), Vec<u64>> {
        match self.part(asker).lock().entry(asker) {
            Entry::Occupied(entry) => entry.into_mut().others.push(asked),
            Entry::Vacant(entry) => _ = entry.insert(Asked { first: asked, others: Vec::new() }),
        }
        // Of two that close a ring at the same time, at least one sees the other's edge: each looks after it has made its own.
        // Mostly the asked one waits for nobody.
        if asked != asker && !self.part(asked).lock().contains_key(&asked) {
            return Ok(());
        }
        self.path(asked, asker).map_or(Ok(()), |path| {
            self.leave(asker, asked);
            Err(path)
        })
    }

    /// `asker` waits no more.
    pub(super) fn leave(&self, asker: u64, asked: u64) {
        let mut part = self.part(asker).lock();
        let Entry::Occupied(mut entry) = part.entry(asker) else { return };
        let waits = entry.get_mut();
        if waits.first != asked {
            if let Some(at) = waits.others.iter().position(|other| *other == asked) {
                waits.others.swap_remove(at);
            }
            return;
        }
        match waits.others.pop() {
            Some(other) => waits.first = other,
            None => drop(entry.remove()),
        }
    }

    /// A way along the edges, both ends included.
    fn path(&self, from: u64, to: u64) -> Option<Vec<u64>> {
        // Who was reached, and from whom.
        let mut reached = StableMap::from_iter([(from, NOBODY)]);
        let mut open = vec![from];
        while let Some(actor) = open.pop() {
            if actor == to {
                let back = std::iter::successors(Some(to), |actor| reached.get(actor).copied());
                let mut path: Vec<u64> = back.take_while(|actor| *actor != NOBODY).collect();
                path.reverse();
                return Some(path);
            }
            let Some(Asked { first, others }) = self.part(actor).lock().get(&actor).cloned() else { continue };
            for next in others.into_iter().chain([first]) {
                if let Entry::Vacant(vacant) = reached.entry(next) {
                    vacant.insert(actor);
                    open.push(next);
                }
            }
        }
        None
    }

    fn part(&self, actor: u64) -> &Mutex<StableMap<u64, Asked>> {
        &self.0[(actor % PARTS as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ask_that_would_close_a_ring_is_refused_and_leaves_no_edge() {
        let waits = Waits::default();
        waits.enter(1, 2).unwrap();
        waits.enter(2, 3).unwrap();
        waits.enter(2, 4).unwrap();
        assert_eq!(waits.enter(3, 1), Err(vec![1, 2, 3]));
        assert_eq!(waits.enter(4, 4), Err(vec![4]));
        waits.enter(3, 5).unwrap();
        waits.leave(1, 2);
        waits.enter(3, 1).unwrap();
        for (asker, asked) in [(2, 3), (2, 4), (3, 5), (3, 1)] {
            waits.leave(asker, asked);
        }
        assert!(waits.0.iter().all(|part| part.lock().is_empty()));
    }

    #[test]
    fn two_asks_of_one_handler_to_one_actor_are_two_edges() {
        let waits = Waits::default();
        waits.enter(1, 2).unwrap();
        waits.enter(1, 2).unwrap();
        waits.leave(1, 2);
        assert!(waits.enter(2, 1).is_err());
    }
}
