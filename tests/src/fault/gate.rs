//! What may pass from one node to one other.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use casty::cluster::Kind;

/// What may pass from one node to one address.
#[derive(Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    cut: bool,
    /// How often all connections were broken.
    breaks: u64,
    held: HashSet<Kind>,
    /// Those who wait for a change.
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

    /// Breaks every connection there is.
    pub(super) fn sever(&self) {
        self.change(|state| state.breaks += 1);
    }

    /// Everything passes again.
    pub(super) fn open(&self) {
        self.change(|state| (state.cut, state.held) = Default::default());
    }

    /// How often connections were broken: one that began before the last time has ended.
    pub(super) fn breaks(&self) -> u64 {
        self.lock().breaks
    }

    /// Whether frames of this kind pass.
    pub(super) fn passes(&self, kind: Kind) -> bool {
        let state = self.lock();
        !state.cut && !state.held.contains(&kind)
    }

    /// Ready when the gate is not cut. The task is woken at every change.
    pub(super) fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        if state.cut { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Ends a connection that began after so many breaks, if there was another.
    pub(super) fn check(&self, breaks: u64) -> io::Result<()> {
        let whole = self.breaks() == breaks;
        whole.then_some(()).ok_or_else(|| io::ErrorKind::ConnectionReset.into())
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        for waker in std::mem::take(&mut state.waiting) {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
