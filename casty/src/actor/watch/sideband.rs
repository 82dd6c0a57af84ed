//! What reaches an actor beside its queue, and whom it reaches when it ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::{ActorId, Ending, Far, Signal, Terminated};
use crate::actor::cell::{AnyCell, CellKey};

/// The signals that wait for one actor, and who waits for its end.
///
/// Signals are as many as the actors that it watches and is linked with, its children, its own futures, and one
/// regrouping. Those who wait leave when they no longer do.
#[derive(Default)]
pub(in crate::actor) struct Sideband(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Empty,
    /// Boxed, since most actors are watched by nobody and signalled by nobody.
    Used(Box<Used>),
    Ended(Ending),
}

#[derive(Default)]
struct Used {
    signals: VecDeque<Signal>,
    next: u64,
    wakers: Vec<(u64, Waker)>,
    /// In an order that a simulation repeats.
    actors: BTreeMap<(CellKey, Interest), Weak<dyn AnyCell>>,
    /// Actors of other nodes that it is linked with. Its node tells them of its end.
    far: BTreeSet<Far>,
}

/// An actor that is told of another's end.
pub(in crate::actor) struct Watcher {
    pub(in crate::actor) key: CellKey,
    pub(in crate::actor) cell: Weak<dyn AnyCell>,
    pub(in crate::actor) interest: Interest,
}

/// What an actor wants to know of another's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::actor) enum Interest {
    /// That it stopped.
    Watch,
    /// That it stopped, and whether it was told to: if not, the other stops too.
    Link,
}

impl Sideband {
    /// Leaves a signal. False if the actor has stopped.
    pub(in crate::actor) fn push(&self, signal: Signal) -> bool {
        match self.0.lock().used() {
            Ok(used) => {
                used.signals.push_back(signal);
                true
            }
            Err(_) => false,
        }
    }

    /// The oldest signal.
    pub(in crate::actor) fn pop(&self) -> Option<Signal> {
        match &mut *self.0.lock() {
            State::Used(used) => used.signals.pop_front(),
            State::Empty | State::Ended(_) => None,
        }
    }

    /// Whether a signal waits.
    pub(in crate::actor) fn has_signal(&self) -> bool {
        matches!(&*self.0.lock(), State::Used(used) if !used.signals.is_empty())
    }

    /// Why the actor has stopped, if it has.
    #[cfg(feature = "testkit")]
    pub(in crate::actor) fn reason(&self) -> Option<super::StopReason> {
        match &*self.0.lock() {
            State::Ended(ending) => Some(ending.clone().into()),
            State::Empty | State::Used(_) => None,
        }
    }

    /// Whether the actor has stopped.
    pub(in crate::actor) fn has_ended(&self) -> bool {
        matches!(&*self.0.lock(), State::Ended(_))
    }

    /// Ready when the actor has stopped.
    pub(in crate::actor) fn ended(&self) -> Ended<'_> {
        Ended { sideband: self, ticket: None }
    }

    /// Tells the watcher of the end of `who`, whether it is still to come or not.
    pub(in crate::actor) fn add(&self, watcher: Watcher, who: impl FnOnce() -> ActorId) {
        let Watcher { key, cell, interest } = watcher;
        let mut state = self.0.lock();
        let ended = match state.used() {
            Ok(used) => {
                used.actors.insert((key, interest), cell);
                return;
            }
            Err(ending) => ending.clone(),
        };
        drop(state);
        tell(&cell, interest, who(), ended);
    }

    /// The watcher is told no more. False if it would not have been anyway.
    pub(in crate::actor) fn remove(&self, watcher: CellKey, interest: Interest) -> bool {
        match &mut *self.0.lock() {
            State::Used(used) => used.actors.remove(&(watcher, interest)).is_some(),
            State::Empty | State::Ended(_) => false,
        }
    }

    /// It is linked with an actor of another node.
    pub(in crate::actor) fn link_far(&self, with: Far) {
        if let Ok(used) = self.0.lock().used() {
            used.far.insert(with);
        }
    }

    /// It is linked with that one no more. False if it was not.
    pub(in crate::actor) fn unlink_far(&self, with: Far) -> bool {
        match &mut *self.0.lock() {
            State::Used(used) => used.far.remove(&with),
            State::Empty | State::Ended(_) => false,
        }
    }

    /// Tells everybody, now and later. No signal comes in any more.
    pub(in crate::actor) fn end(&self, ending: Ending, who: impl Fn() -> ActorId) {
        let state = std::mem::replace(&mut *self.0.lock(), State::Ended(ending.clone()));
        if let State::Used(used) = state {
            for ((_, interest), cell) in used.actors {
                tell(&cell, interest, who(), ending.clone());
            }
            used.wakers.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}

impl State {
    /// The part that is made when it is first needed, or how the actor ended.
    fn used(&mut self) -> Result<&mut Used, &Ending> {
        if let Self::Empty = self {
            *self = Self::Used(Box::default());
        }
        match self {
            Self::Used(used) => Ok(used),
            Self::Ended(ending) => Err(ending),
            Self::Empty => Err(&Ending::Aborted),
        }
    }
}

fn tell(cell: &Weak<dyn AnyCell>, interest: Interest, who: ActorId, ending: Ending) {
    if let Some(cell) = cell.upgrade() {
        cell.signal(interest.signal(Terminated { who, reason: ending.into() }));
    }
}

/// The future of [`Sideband::ended`].
pub(in crate::actor) struct Ended<'a> {
    sideband: &'a Sideband,
    ticket: Option<u64>,
}

impl Future for Ended<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.sideband.0.lock();
        let Ok(used) = state.used() else { return Poll::Ready(()) };
        match used.wakers.iter_mut().find(|(ticket, _)| Some(*ticket) == self.ticket) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => {
                let ticket = used.next;
                used.next += 1;
                used.wakers.push((ticket, cx.waker().clone()));
                drop(state);
                self.ticket = Some(ticket);
            }
        }
        Poll::Pending
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let Some(mine) = self.ticket else { return };
        if let State::Used(used) = &mut *self.sideband.0.lock() {
            used.wakers.retain(|(ticket, _)| *ticket != mine);
        }
    }
}
