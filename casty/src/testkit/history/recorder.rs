//! The history that the clients of one run write together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{End, Operation};

/// The least time between two events of one history.
const TICK: Duration = Duration::from_nanos(1);

/// The operations of a run. Clones write to the same history; it grows until the run ends.
///
/// Events must be told when they happen: a call before the request leaves, a return after the answer came. Then what is
/// recorded first did come first, even where a simulated clock shows the same time for both, so each event gets a time
/// that is at least a nanosecond after the one recorded before it.
pub struct History<I, O> {
    events: Arc<Mutex<Events<I, O>>>,
    journal: Option<Arc<Journal<I, O>>>,
}

/// Hears of every change of a history as it happens: the operation at this place, in the order of the calls, is now this
/// one, or was withdrawn. Whatever a process may lose when it is killed must be written down in here.
pub type Journal<I, O> = dyn Fn(usize, Option<&Operation<I, O>>) + Send + Sync;

#[derive(Debug)]
struct Events<I, O> {
    /// By their calls. A withdrawn operation leaves a hole, so that the others keep their places.
    operations: Vec<Option<Operation<I, O>>>,
    /// When the last event was.
    last: Duration,
}

/// An operation that was called and has not ended. Dropped without a word it stays one of unknown outcome, as that of a
/// client that died.
#[derive(Debug)]
#[must_use = "an operation that is dropped counts as one of unknown outcome: call `unknown` to say so"]
pub struct Pending<I, O> {
    history: History<I, O>,
    place: usize,
}

impl<I, O> History<I, O> {
    /// A history without operations.
    pub fn new() -> Self {
        let events = Events { operations: Vec::new(), last: Duration::ZERO };
        Self { events: Arc::new(Mutex::new(events)), journal: None }
    }

    /// A history without operations, whose changes are told to `journal`: before a call returns, and so before the
    /// request leaves.
    pub fn journaled(journal: impl Fn(usize, Option<&Operation<I, O>>) + Send + Sync + 'static) -> Self {
        Self { journal: Some(Arc::new(journal)), ..Self::new() }
    }

    /// Records that `client` is about to ask for `input`, `now` after the start of the run.
    pub fn call(&self, client: u64, now: Duration, input: I) -> Pending<I, O> {
        let mut events = self.events.lock();
        let call = events.time(now);
        events.operations.push(Some(Operation { client, call, input, end: End::Unknown }));
        let place = events.operations.len() - 1;
        self.write_down(place, &events);
        Pending { history: self.clone(), place }
    }

    /// All operations so far that were not withdrawn, in the order of their calls. Those still pending are of unknown
    /// outcome.
    pub fn operations(&self) -> Vec<Operation<I, O>>
    where
        I: Clone,
        O: Clone,
    {
        self.events.lock().operations.iter().flatten().cloned().collect()
    }

    fn write_down(&self, place: usize, events: &Events<I, O>) {
        if let Some(journal) = &self.journal {
            journal(place, events.operations[place].as_ref());
        }
    }
}

impl<I, O> Events<I, O> {
    fn time(&mut self, now: Duration) -> Duration {
        self.last = now.max(self.last + TICK);
        self.last
    }
}

impl<I, O> Pending<I, O> {
    /// The answer came `now`.
    pub fn returned(self, now: Duration, output: O) {
        let mut events = self.history.events.lock();
        let at = events.time(now);
        if let Some(operation) = &mut events.operations[self.place] {
            operation.end = End::Returned { at, output };
        }
        self.history.write_down(self.place, &events);
    }

    /// There will be no answer, or none that says whether it happened: a time-out, a lost connection.
    pub fn unknown(self) {}

    /// The operation certainly did not happen and never will: it leaves the history.
    pub fn withdraw(self) {
        let mut events = self.history.events.lock();
        events.operations[self.place] = None;
        self.history.write_down(self.place, &events);
    }
}

impl<I, O> Default for History<I, O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, O> Clone for History<I, O> {
    fn clone(&self) -> Self {
        Self { events: self.events.clone(), journal: self.journal.clone() }
    }
}

impl<I, O> fmt::Debug for History<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("operations", &self.events.lock().operations.len()).finish_non_exhaustive()
    }
}
