//! The children of one actor.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Failure, Strategy};
use crate::actor::cell::AnyCell;
use crate::actor::watch::Signal;

/// The living children of one actor, in the order in which they were spawned, and how to reach their parent.
pub(in crate::actor) struct Family {
    parent: Weak<dyn AnyCell>,
    /// The parent's instance.
    instance: u64,
    /// When it ends, as the system does.
    phase: u8,
    state: Mutex<State>,
    /// Told when the last child has stopped.
    empty: Notify,
    /// Held by the one regrouping that is under way.
    pub(super) regrouping: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    strategy: Strategy,
    /// The parent, or its instance, ends: nobody is let in any more.
    closed: bool,
    /// By their numbers, which grow.
    children: BTreeMap<u64, Child>,
}

struct Child {
    cell: Arc<dyn AnyCell>,
    /// How often it was halted.
    epoch: u64,
}

impl Family {
    pub(in crate::actor) fn new(parent: &Arc<dyn AnyCell>, instance: u64) -> Arc<Self> {
        let (parent, phase) = (Arc::downgrade(parent), parent.phase());
        let (empty, regrouping) = (Notify::new(), tokio::sync::Mutex::new(()));
        Arc::new(Self { parent, instance, phase, state: Mutex::default(), empty, regrouping })
    }

    /// When the parent ends, as the system does, and its children before it.
    pub(in crate::actor) fn phase(&self) -> u8 {
        self.phase
    }

    pub(in crate::actor) fn set_strategy(&self, strategy: Strategy) {
        self.state.lock().strategy = strategy;
    }

    pub(in crate::actor) fn strategy(&self) -> Strategy {
        self.state.lock().strategy
    }

    /// A child was spawned. False if the parent is about to end.
    pub(in crate::actor) fn add(&self, cell: Arc<dyn AnyCell>) -> bool {
        let mut state = self.state.lock();
        if !state.closed {
            state.children.insert(*cell.number(), Child { cell, epoch: 0 });
        }
        !state.closed
    }

    /// A child has stopped.
    pub(in crate::actor) fn remove(&self, number: u64) {
        let mut state = self.state.lock();
        let gone = state.children.remove(&number);
        let empty = state.children.is_empty();
        drop(state);
        drop(gone);
        if empty {
            self.empty.notify_waiters();
        }
    }

    /// The parent fails of what its child failed of. False if there is no parent any more.
    pub(in crate::actor) fn escalate(&self, failure: Failure) -> bool {
        self.parent.upgrade().is_some_and(|parent| parent.signal(Signal::Failed(failure, self.instance)))
    }

    /// Every child ends after what it has queued, and there will be no others.
    pub(in crate::actor) fn drain(&self) {
        self.close().iter().for_each(|cell| cell.drain());
    }

    /// Every child ends after the message in hand, and there will be no others.
    pub(in crate::actor) fn stop(&self) {
        self.close().iter().for_each(|cell| cell.stop());
    }

    /// Waits until every child has stopped.
    pub(in crate::actor) async fn emptied(&self) {
        loop {
            let empty = self.empty.notified();
            if self.state.lock().children.is_empty() {
                return;
            }
            empty.await;
        }
    }

    /// How often the child was halted; `None` if it has stopped.
    pub(super) fn epoch(&self, number: u64) -> Option<u64> {
        self.state.lock().children.get(&number).map(|child| child.epoch)
    }

    /// The child heeds that it is to halt.
    pub(in crate::actor) fn next_epoch(&self, number: u64) {
        if let Some(child) = self.state.lock().children.get_mut(&number) {
            child.epoch += 1;
        }
    }

    /// The children that restart with this one, itself among them, the oldest first.
    pub(super) fn affected(&self, number: u64) -> Vec<Arc<dyn AnyCell>> {
        let state = self.state.lock();
        let range = match state.strategy {
            Strategy::OneForAll => 0..=u64::MAX,
            Strategy::RestForOne => number..=u64::MAX,
            Strategy::OneForOne => number..=number,
        };
        state.children.range(range).map(|(_, child)| Arc::clone(&child.cell)).collect()
    }

    fn close(&self) -> Vec<Arc<dyn AnyCell>> {
        let mut state = self.state.lock();
        state.closed = true;
        state.children.values().map(|child| Arc::clone(&child.cell)).collect()
    }
}
