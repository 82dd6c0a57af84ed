//! The actors of this node that others can call.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::actor::StopReason;
use crate::actor::remote::{Exported, TooManyExported};
use crate::base::{NodeKey, StableMap};

/// The most actors of one node that others can call.
const EXPORTS_MAX: usize = 1 << 20;

/// Of so many that have stopped it is remembered why: for who watched one while the link was down.
const REMEMBERED_MAX: usize = 1024;

/// The actors of this node that others can call, until they stop.
#[derive(Default)]
pub(super) struct Exports(RwLock<State>);

#[derive(Default)]
struct State {
    actors: StableMap<u64, Entry>,
    /// The oldest first.
    ended: VecDeque<(u64, StopReason)>,
}

struct Entry {
    exported: Arc<dyn Exported>,
    watchers: BTreeSet<NodeKey>,
}

impl Exports {
    /// Adds an actor that is not there yet. False if nothing was made.
    pub(super) fn add(
        &self,
        number: u64,
        make: &mut dyn FnMut() -> Option<Arc<dyn Exported>>,
    ) -> Result<bool, TooManyExported> {
        if self.read().actors.contains_key(&number) {
            return Ok(true);
        }
        let Some(exported) = make() else { return Ok(false) };
        let mut state = self.write();
        if state.actors.len() >= EXPORTS_MAX && !state.actors.contains_key(&number) {
            return Err(TooManyExported { max: EXPORTS_MAX });
        }
        let entry = Entry { exported: Arc::clone(&exported), watchers: BTreeSet::new() };
        let before = state.actors.insert(number, entry);
        if let Some(before) = before
            && let Some(now) = state.actors.get_mut(&number)
        {
            // Another was faster.
            *now = before;
        }
        drop(state);
        // It may have stopped before it was added: then nobody else takes it out.
        if exported.has_ended() {
            self.write().actors.remove(&number);
        }
        Ok(true)
    }

    /// The actor of this number.
    pub(super) fn get(&self, number: u64) -> Option<Arc<dyn Exported>> {
        self.read().actors.get(&number).map(|entry| Arc::clone(&entry.exported))
    }

    /// `peer` wants to know when the actor stops. `Err`: it has, for this reason.
    pub(super) fn watch(&self, number: u64, peer: NodeKey) -> Result<(), StopReason> {
        let mut state = self.write();
        match state.actors.get_mut(&number) {
            Some(entry) => {
                entry.watchers.insert(peer);
                Ok(())
            }
            None => Err(state.reason(number)),
        }
    }

    /// `peer` wants to know no more.
    pub(super) fn unwatch(&self, number: u64, peer: NodeKey) {
        if let Some(entry) = self.write().actors.get_mut(&number) {
            entry.watchers.remove(&peer);
        }
    }

    /// The actor has stopped. Gives the nodes that want to know.
    pub(super) fn ended(&self, number: u64, reason: &StopReason) -> BTreeSet<NodeKey> {
        if !self.read().actors.contains_key(&number) {
            return BTreeSet::new();
        }
        let mut state = self.write();
        let Some(entry) = state.actors.remove(&number) else { return BTreeSet::new() };
        if state.ended.len() == REMEMBERED_MAX {
            state.ended.pop_front();
        }
        state.ended.push_back((number, reason.clone()));
        drop(state);
        entry.watchers
    }

    /// Why an actor that is not here has stopped.
    pub(super) fn reason(&self, number: u64) -> StopReason {
        self.read().reason(number)
    }

    /// A peer is gone for good.
    pub(super) fn forget(&self, peer: NodeKey) {
        let mut state = self.write();
        for entry in state.actors.values_mut() {
            entry.watchers.remove(&peer);
            entry.exported.forget(peer);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write()
    }
}

impl State {
    fn reason(&self, number: u64) -> StopReason {
        let found = self.ended.iter().find(|(ended, _)| *ended == number);
        found.map_or(StopReason::Forgotten, |(_, reason)| reason.clone())
    }
}
