//! The timers of foca, in order of their deadlines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use foca::Timer;
use tokio::time::Instant;

use crate::cluster::limits::GOSSIP_TIMERS_MAX;
use crate::wire::Member;

/// The timers of foca. Of two that are due at one time, foca's own order says which is first.
#[derive(Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(Instant, Timer<Member>)>>);

impl Timers {
    /// Sets a timer. When there are too many, one that would only forget a node is left out.
    pub(super) fn set(&mut self, now: Instant, after: Duration, timer: Timer<Member>) {
        if self.0.len() < GOSSIP_TIMERS_MAX || !matches!(timer, Timer::RemoveDown(_)) {
            self.0.push(Reverse((now + after, timer)));
        }
    }

    /// When the next timer is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// The next timer that is due by `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer<Member>> {
        if self.next_at()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, timer))| timer)
    }
}
