//! What an actor sends itself later. The actor's own task keeps the time: a timer that was cancelled delivers nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, Sleep, sleep_until};

use crate::base::StableMap;

/// A timer of one actor, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timer(u64);

impl Timer {
    pub(super) fn new(number: u64) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// The timers of one actor.
pub(super) struct Timers<T> {
    /// By when they are due, then by their age.
    due: BTreeMap<(Instant, u64), Entry<T>>,
    /// When each is due.
    by_number: StableMap<u64, Instant>,
    next: u64,
    idle: Option<Idle<T>>,
    /// The last message was a timer's, so that the queue has the next turn.
    ticked: bool,
    /// Until the first is due.
    sleep: Option<Pin<Box<Sleep>>>,
}

enum Entry<T> {
    Once(T),
    Every { period: Duration, missed: MissedTickBehavior, make: Make<T> },
}

type Make<T> = Box<dyn FnMut() -> T + Send>;

/// What is sent when nothing was for a while.
struct Idle<T> {
    after: Duration,
    make: Make<T>,
    /// When the actor began to wait; `None` while it has something to do.
    since: Option<Instant>,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), by_number: StableMap::default(), next: 0, idle: None, ticked: false, sleep: None }
    }
}

impl<T> Timers<T> {
    /// One message, after `delay`.
    pub(super) fn once(&mut self, delay: Duration, msg: T) -> Timer {
        self.add(far(Instant::now(), delay), Entry::Once(msg))
    }

    /// A message every `period`, the first after one.
    pub(super) fn every(&mut self, period: Duration, missed: MissedTickBehavior, make: Make<T>) -> Timer {
        let period = period.max(Duration::from_millis(1));
        self.add(far(Instant::now(), period), Entry::Every { period, missed, make })
    }

    /// False if the timer is over.
    pub(super) fn cancel(&mut self, timer: Timer) -> bool {
        let due = self.by_number.remove(&timer.0);
        due.is_some_and(|due| self.due.remove(&(due, timer.0)).is_some())
    }

    /// A message whenever nothing was handled for so long; `None` for never.
    pub(super) fn set_idle(&mut self, idle: Option<(Duration, Make<T>)>) {
        self.idle = idle.map(|(after, make)| Idle { after, make, since: None });
    }

    /// A message that is due, or else the last of the batch. Where both have messages, they take turns.
    pub(super) fn next(&mut self, batch: &mut Vec<T>) -> Option<T> {
        self.ticked = !self.ticked;
        if self.ticked
            && let Some(msg) = self.take_due()
        {
            self.busy();
            return Some(msg);
        }
        self.ticked = false;
        let msg = batch.pop()?;
        self.busy();
        Some(msg)
    }

    /// There is something to handle.
    fn busy(&mut self) {
        if let Some(idle) = &mut self.idle {
            idle.since = None;
        }
    }

    /// The actor has nothing to do. Ready when [`next`](Self::next) has something all the same.
    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ticked = false;
        let first = self.due.first_key_value().map(|(&(due, _), _)| due);
        let idle = self.idle.as_mut().map(|idle| far(*idle.since.get_or_insert_with(Instant::now), idle.after));
        let Some(due) = first.into_iter().chain(idle).min() else { return Poll::Pending };
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() == due && !sleep.is_elapsed() => {}
            Some(sleep) => sleep.as_mut().reset(due),
            sleep => *sleep = Some(Box::pin(sleep_until(due))),
        }
        self.sleep.as_mut().map_or(Poll::Pending, |sleep| sleep.as_mut().poll(cx))
    }

    fn take_due(&mut self) -> Option<T> {
        let first = self.due.first_key_value().map(|(&key, _)| key);
        if first.is_none() && self.idle.is_none() {
            return None;
        }
        let now = Instant::now();
        if let Some((due, number)) = first
            && due <= now
        {
            return self.tick(due, number, now);
        }
        let idle = self.idle.as_mut()?;
        if now.duration_since(idle.since?) < idle.after {
            return None;
        }
        Some((idle.make)())
    }

    fn add(&mut self, due: Instant, entry: Entry<T>) -> Timer {
        let number = self.next;
        self.next += 1;
        self.by_number.insert(number, due);
        self.due.insert((due, number), entry);
        Timer(number)
    }

    fn tick(&mut self, due: Instant, number: u64, now: Instant) -> Option<T> {
        match self.due.remove(&(due, number))? {
            Entry::Once(msg) => {
                self.by_number.remove(&number);
                Some(msg)
            }
            Entry::Every { period, missed, mut make } => {
                // The user's code: the timer goes on if the actor does.
                let msg = catch_unwind(AssertUnwindSafe(&mut make));
                let next = following(due, now, period, missed);
                self.by_number.insert(number, next);
                self.due.insert((next, number), Entry::Every { period, missed, make });
                Some(msg.unwrap_or_else(|panic| resume_unwind(panic)))
            }
        }
    }
}

/// When a timer that was due at `due` and is handled `now` is due again.
fn following(due: Instant, now: Instant, period: Duration, missed: MissedTickBehavior) -> Instant {
    let late = now.duration_since(due);
    match missed {
        MissedTickBehavior::Burst => far(due, period),
        MissedTickBehavior::Delay => far(now, period),
        MissedTickBehavior::Skip => {
            let past = Duration::from_nanos((late.as_nanos() % period.as_nanos()).try_into().unwrap_or(0));
            far(now, period - past)
        }
    }
}

/// `after` from `start`, or in the far future if that is too far.
fn far(start: Instant, after: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    start.checked_add(after).filter(|_| after < 30 * YEAR).unwrap_or(start + 30 * YEAR)
}
