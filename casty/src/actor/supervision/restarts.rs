//! How often an actor is made anew, and how fast.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::actor::Actor;
use crate::base::{Backoff, ThreadRng};

/// How often an actor may restart, and how long it waits before.
///
/// Before the n-th restart within the window an actor waits for `first * 2^(n-1)`, at most for `longest`, less a random part
/// of up to half. What is sent to it in the meantime waits in its mailbox. An actor that fails once more than it may
/// restart stops, and its parent fails of the same, as with [`Directive::Escalate`](super::Directive::Escalate).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    max: u32,
    within: Duration,
    first: Duration,
    longest: Duration,
}

impl Restarts {
    /// At most `max` restarts in any time of this length.
    pub const fn at_most(max: u32, within: Duration) -> Self {
        Self { max, within, ..Self::DEFAULT }
    }

    /// How long to wait before the first restart, and at most before any. The default is 10 milliseconds and 10 seconds.
    pub const fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.first, self.longest) = (first, longest);
        self
    }

    const DEFAULT: Self = Self {
        max: 10,
        within: Duration::from_secs(60),
        first: Duration::from_millis(10),
        longest: Duration::from_secs(10),
    };
}

impl fmt::Display for Restarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} restarts in {:?}", self.max, self.within)
    }
}

/// At most 10 restarts in 60 seconds.
impl Default for Restarts {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How to make an actor anew, and when it was.
pub(in crate::actor) struct Rebirth<A> {
    make: Box<dyn FnMut() -> A + Send>,
    restarts: Restarts,
    /// Of the restarts within the window; at most `max`.
    recent: VecDeque<Instant>,
}

impl<A: Actor> Rebirth<A> {
    pub(in crate::actor) fn new(make: Box<dyn FnMut() -> A + Send>) -> Self {
        Self { make, restarts: Restarts::default(), recent: VecDeque::new() }
    }

    pub(in crate::actor) fn set_restarts(&mut self, restarts: Restarts) {
        self.restarts = restarts;
    }

    /// The actor, made anew. The user's code: it may panic.
    pub(in crate::actor) fn make(&mut self) -> A {
        (self.make)()
    }

    /// How long to wait before the restart that is due now; `None` if there were too many.
    pub(in crate::actor) fn next(&mut self, now: Instant) -> Option<Duration> {
        let Restarts { max, within, first, longest } = self.restarts;
        while self.recent.front().is_some_and(|&at| now.duration_since(at) > within) {
            self.recent.pop_front();
        }
        if self.recent.len() >= max as usize {
            return None;
        }
        let delay = Backoff::nth(first, longest, self.recent.len() as u32).next_delay(&mut ThreadRng);
        self.recent.push_back(now);
        Some(delay)
    }

    pub(in crate::actor) fn restarts(&self) -> Restarts {
        self.restarts
    }
}
