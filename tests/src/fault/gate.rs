//! What may pass from one node to one other.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use casty::cluster::Kind;

/// What may pass from one node to one address.
#[derive(Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    cut: bool,
    held: HashSet<Kind>,
    /// Those who wait until the gate is no longer cut.
    waiting: Vec<Waker>,
}

impl Gate {
    /// Nothing passes, in either direction of a connection, until the gate is opened.
    pub(super) fn cut(&self) {
        self.lock().cut = true;
    }

    /// Frames of this kind wait.
    pub(super) fn hold(&self, kind: Kind) {
        self.lock().held.insert(kind);
    }

    /// Everything passes again.
    pub(super) fn open(&self) {
        let State { waiting, .. } = std::mem::take(&mut *self.lock());
        for waker in waiting {
            waker.wake();
        }
    }

    /// Whether frames of this kind pass.
    pub(super) fn passes(&self, kind: Kind) -> bool {
        let state = self.lock();
        !state.cut && !state.held.contains(&kind)
    }

    /// Ready when the gate is not cut.
    pub(super) fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.cut {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
