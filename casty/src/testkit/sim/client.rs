//! Code of the user's that runs on the nodes of a simulation.

use std::future::Future;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::clock::SimClock;
use super::host::{Life, Process};
use super::pace::paced;
use super::trace::Trace;
use crate::actor::Failure as Panic;
use crate::client::ConnectError;
use crate::node::Node;

/// What a client, or a check at the end of a run, has in hand: the node that it runs on.
///
/// It ends with its node: a crash drops it wherever it waits, as it would drop a process. A client that never waits is
/// slowed down, so that time passes for it, too.
pub struct Client {
    process: Arc<Process>,
    node: Arc<Node>,
    number: u64,
    rng: StdRng,
    shared: Arc<Shared>,
}

/// What all clients of a run share.
pub(super) struct Shared {
    pub(super) clock: Arc<SimClock>,
    pub(super) trace: Arc<Trace>,
    seed: u64,
    over: AtomicBool,
    next: AtomicU64,
    running: AtomicUsize,
    violation: Mutex<Option<Violation>>,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) invariant: String,
    pub(super) explanation: String,
}

/// A task that a client is given to.
pub(super) type Task = Pin<Box<dyn Future<Output = Result<(), Violation>> + Send>>;

impl Client {
    /// The node that the client runs on.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The same, to be kept.
    pub(super) fn life(&self) -> Arc<Node> {
        self.node.clone()
    }

    /// Connects to the cluster from outside, by way of whichever node answers: for what is asked without a node's own router.
    pub async fn connect(&self) -> Result<crate::client::Client, ConnectError> {
        self.process.connect(self.number).await
    }

    /// A number that no other client of the run has.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether faults still happen, and the client's node takes requests still. A client should end soon when not: the run waits
    /// for it.
    pub fn goes_on(&self) -> bool {
        !self.node.is_closed() && !self.shared.is_over()
    }

    /// How long the run has lasted, by the clock that all nodes share: the one for histories.
    pub fn now(&self) -> Duration {
        self.shared.clock.now()
    }

    /// For how long the client's process has run. Other than [`now`](Self::now), it stands while the process does.
    pub fn ran(&self) -> Duration {
        self.process.ran()
    }

    /// A random number that follows from the seed of the run.
    pub fn random(&mut self, range: Range<u64>) -> u64 {
        self.rng.random_range(range)
    }

    /// Says something in the trace of the run.
    pub fn note(&self, text: impl Into<String>) {
        self.shared.trace.say(text.into());
    }

    /// Ends the run: something happened that must not.
    pub fn violates(&self, invariant: &str, explanation: impl Into<String>) {
        self.shared.violates(Violation { invariant: invariant.to_owned(), explanation: explanation.into() });
    }
}

impl Shared {
    pub(super) fn new(clock: Arc<SimClock>, trace: Arc<Trace>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            clock,
            trace,
            seed,
            over: AtomicBool::new(false),
            next: AtomicU64::new(1),
            running: AtomicUsize::new(0),
            violation: Mutex::default(),
        })
    }

    /// A client for a node, if it has started.
    pub(super) fn client(self: &Arc<Self>, life: &Life) -> Option<Client> {
        let (process, node) = (life.process.clone(), life.process.node()?);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let rng = StdRng::seed_from_u64(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Some(Client { process, node, number, rng, shared: self.clone() })
    }

    /// Runs a client's task on its node. What it panics with is a violation.
    pub(super) fn spawn(self: &Arc<Self>, life: &Life, task: Task) {
        self.running.fetch_add(1, Ordering::Relaxed);
        let (running, shared) = (Running(self.clone()), self.clone());
        life.spawn(async move {
            let _running = running;
            let violation = match AssertUnwindSafe(paced(task)).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(violation)) => violation,
                Err(panic) => {
                    Violation { invariant: "no client panics".to_owned(), explanation: Panic::from_panic(panic).reason }
                }
            };
            shared.violates(violation);
        });
    }

    /// The first violation stands.
    pub(super) fn violates(&self, violation: Violation) {
        self.violation.lock().get_or_insert(violation);
    }

    pub(super) fn violation(&self) -> Option<Violation> {
        self.violation.lock().clone()
    }

    /// Whether clients were told to end.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Tells clients to end.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// How many clients run.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

/// Counts a client for as long as it runs, however it ends.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
