//! What every actor holds, and how the work learns that all actors are gone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

/// The state of an actor, the same for every competitor. `R` is a reference to such an actor.
pub struct Counter<R> {
    total: u64,
    seat: Option<Arc<Seat<R>>>,
    _alive: Alive,
}

impl<R> Counter<R> {
    /// A counter at zero. With a seat, it plays ball.
    pub fn new(seat: Option<Arc<Seat<R>>>) -> Self {
        Self { total: 0, seat, _alive: Alive::new() }
    }

    /// Adds to the total.
    pub fn add(&mut self, amount: u64) {
        self.total = self.total.wrapping_add(amount);
    }

    /// The total.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whom to pass the ball to, if it has hops left. Otherwise the game is over.
    pub fn catch(&self, hops: u64) -> Option<&R> {
        let seat = self.seat.as_ref()?;
        if hops == 0 {
            seat.over.notify_one();
            return None;
        }
        seat.next.get()
    }
}

/// A place in a ring of actors that pass a ball.
pub struct Seat<R> {
    /// The actor in the next seat, known once all are spawned.
    pub next: OnceLock<R>,
    /// Told when the ball ends here.
    pub over: Notify,
}

impl<R> Default for Seat<R> {
    fn default() -> Self {
        Self { next: OnceLock::new(), over: Notify::new() }
    }
}

/// Counts the states that have not been dropped.
struct Alive;

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static GONE: Notify = Notify::const_new();

impl Alive {
    fn new() -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if ALIVE.fetch_sub(1, Ordering::AcqRel) == 1 {
            GONE.notify_waiters();
        }
    }
}

/// Waits until no actor's state is left.
pub async fn all_gone() {
    loop {
        // A `Notified` hears of what happens after it was made.
        let gone = GONE.notified();
        if ALIVE.load(Ordering::Acquire) == 0 {
            return;
        }
        gone.await;
    }
}
