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

/// The configurations that were visited: the answered operations that are placed and the state (Lowe 2017, section 3), and for
/// each pair the operations of unknown outcome that had been placed. Whoever placed fewer of those can do all that one who
/// placed more can, so only sets are kept of which no other is a part.
#[derive(Debug, Default)]
pub(super) struct Memo {
    visited: StableMap<(Short, StateId), Vec<Bitset>>,
}

impl Memo {
    /// Remembers a configuration, unless it or a better one was visited before.
    pub(super) fn visit(&mut self, placed: Short, state: StateId, unknown: Bitset) -> bool {
        let before = self.visited.entry((placed, state)).or_default();
        if before.iter().any(|other| other.is_subset(&unknown)) {
            return false;
        }
        before.retain(|other| !unknown.is_subset(other));
        before.push(unknown);
        true
    }

    /// Whether a better one was visited after this one.
    pub(super) fn is_surpassed(&self, placed: Short, state: StateId, unknown: &Bitset) -> bool {
        self.visited.get(&(placed, state)).is_some_and(|visited| !visited.contains(unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(unknown: &[usize]) -> Bitset {
        let mut set = Bitset::new(10);
        unknown.iter().for_each(|number| set.insert(*number));
        set
    }

    #[test]
    fn a_configuration_that_placed_more_than_a_visited_one_is_not_visited() {
        let (mut memo, placed) = (Memo::default(), Bitset::new(4));
        let mut visit = |state, unknown: &[usize]| memo.visit(placed.short(), StateId(state), set(unknown));
        assert!(visit(0, &[1, 2]));
        assert!(!visit(0, &[1, 2]));
        assert!(!visit(0, &[1, 2, 3]));
        assert!(visit(1, &[1, 2, 3]), "another state is another configuration");
        assert!(visit(0, &[2, 3]), "neither placed less");
        assert!(visit(0, &[2]), "it placed less");
        assert!(!visit(0, &[2, 3]));
        assert!(memo.is_surpassed(placed.short(), StateId(0), &set(&[2, 3])));
        assert!(!memo.is_surpassed(placed.short(), StateId(0), &set(&[2])));
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
