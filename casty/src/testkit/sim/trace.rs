//! What happened in a run: a fingerprint of all of it, and the last of it in words.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use xxhash_rust::xxh3::Xxh3;

use super::clock::SimClock;

/// How many lines are kept.
const LINES_MAX: usize = 20_000;

/// The trace of one run. Two runs with one seed have the same.
pub(super) struct Trace {
    clock: Arc<SimClock>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    hash: Xxh3,
    events: u64,
    /// The node that runs at this moment.
    host: Option<usize>,
    lines: VecDeque<Line>,
}

/// One thing that happened, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, since the start of the run.
    pub at: Duration,
    /// On which node; `None` for what no node did, such as a fault.
    pub node: Option<usize>,
    /// What.
    pub text: String,
}

/// What tells one run from another: how much happened, and a hash (XXH3, 64 bits) over all of it, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The number of events: every delivery of bytes, every fault, every log line.
    pub events: u64,
    /// The hash of the events.
    pub hash: u64,
}

impl Trace {
    pub(super) fn new(clock: Arc<SimClock>) -> Self {
        Self { clock, inner: Mutex::default() }
    }

    /// Says which node runs from now on.
    pub(super) fn enter(&self, host: Option<usize>) {
        self.inner.lock().host = host;
    }

    /// Something happened that nobody wants to read.
    pub(super) fn event(&self, parts: &[&[u8]]) {
        self.inner.lock().absorb(self.clock.now(), parts);
    }

    /// Something happened that somebody may want to read.
    pub(super) fn say(&self, text: String) {
        let (at, mut inner) = (self.clock.now(), self.inner.lock());
        inner.absorb(at, &[text.as_bytes()]);
        let node = inner.host;
        if inner.lines.len() >= LINES_MAX {
            inner.lines.pop_front();
        }
        inner.lines.push_back(Line { at, node, text });
    }

    /// What the run is told by so far.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let inner = self.inner.lock();
        Fingerprint { events: inner.events, hash: inner.hash.digest() }
    }

    /// The lines that are kept.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.inner.lock().lines.iter().cloned().collect()
    }
}

impl Inner {
    fn absorb(&mut self, at: Duration, parts: &[&[u8]]) {
        self.events += 1;
        let host = self.host.map_or(0, |host| host as u64 + 1);
        self.hash.update(&(at.as_micros() as u64).to_le_bytes());
        self.hash.update(&host.to_le_bytes());
        for part in parts {
            self.hash.update(&(part.len() as u64).to_le_bytes());
            self.hash.update(part);
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.3} s  ", self.at.as_secs_f64())?;
        match self.node {
            Some(node) => write!(f, "node-{node}  {}", self.text),
            None => write!(f, "------  {}", self.text),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events, {:016x}", self.events, self.hash)
    }
}
