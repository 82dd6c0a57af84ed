//! Where the search has been.

use std::hash::Hash;
use std::rc::Rc;

use super::bitset::{Bitset, Short};
use crate::base::StableMap;

/// A state that was seen, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StateId(u32);

/// Every state that the search has met, once.
#[derive(Debug)]
pub(super) struct States<S> {
    ids: StableMap<Rc<S>, StateId>,
    states: Vec<Rc<S>>,
}

impl<S: Eq + Hash> States<S> {
    pub(super) fn new() -> Self {
        Self { ids: StableMap::default(), states: Vec::new() }
    }

    pub(super) fn id(&mut self, state: S) -> StateId {
        if let Some(id) = self.ids.get(&state) {
            return *id;
        }
        let (id, state) = (StateId(self.states.len() as u32), Rc::new(state));
        self.states.push(state.clone());
        self.ids.insert(state, id);
        id
    }

    pub(super) fn get(&self, id: StateId) -> &S {
        &self.states[id.0 as usize]
    }
}

/// What a configuration took of what it need not have taken. With the same answered operations placed and in the same state,
/// whoever took less can do all that the other can.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// The operations of unknown outcome that are placed.
    pub(super) unknown: Bitset,
    /// How many of them are placed in a row just now, of which there is a most.
    pub(super) row: u32,
}

impl Taken {
    fn within(&self, other: &Self) -> bool {
        self.row <= other.row && self.unknown.is_subset(&other.unknown)
    }
}

/// The configurations that were visited: the answered operations that are placed and the state (Lowe 2017, section 3), and for
/// each pair the least that had been taken.
#[derive(Debug, Default)]
pub(super) struct Memo {
    visited: StableMap<(Short, StateId), Vec<Taken>>,
}

impl Memo {
    /// Remembers a configuration, unless it or a better one was visited before.
    pub(super) fn visit(&mut self, placed: Short, state: StateId, taken: Taken) -> bool {
        let before = self.visited.entry((placed, state)).or_default();
        if before.iter().any(|other| other.within(&taken)) {
            return false;
        }
        before.retain(|other| !taken.within(other));
        before.push(taken);
        true
    }

    pub(super) fn clear(&mut self) {
        self.visited.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(unknown: &[usize], row: u32) -> Taken {
        let mut set = Bitset::new(10);
        unknown.iter().for_each(|number| set.insert(*number));
        Taken { unknown: set, row }
    }

    #[test]
    fn a_configuration_that_took_more_than_a_visited_one_is_not_visited() {
        let (mut memo, placed) = (Memo::default(), Bitset::new(4));
        let mut visit = |state, taken| memo.visit(placed.short(), StateId(state), taken);
        assert!(visit(0, taken(&[1, 2], 1)));
        assert!(!visit(0, taken(&[1, 2], 1)));
        assert!(!visit(0, taken(&[1, 2, 3], 2)));
        assert!(visit(1, taken(&[1, 2, 3], 2)), "another state is another configuration");
        assert!(visit(0, taken(&[2, 3], 1)), "neither took less");
        assert!(visit(0, taken(&[2], 1)), "it took less");
        assert!(!visit(0, taken(&[2, 3], 1)));
        assert!(visit(0, taken(&[2], 0)), "it may take more in a row");
    }

    #[test]
    fn equal_states_have_one_number() {
        let mut states = States::new();
        let (a, b) = (states.id("a"), states.id("b"));
        assert_eq!(states.id("a"), a);
        assert_ne!(a, b);
        assert_eq!(*states.get(b), "b");
    }
}
