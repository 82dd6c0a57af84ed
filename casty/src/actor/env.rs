//! What all references of one system share.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use super::cycles::Waits;
use super::dead_letters::DeadLetters;
use super::remote::{Entered, Exchange, Naming};
use super::reply::Sweeper;

/// The time an ask may take, unless the system or the ask says otherwise.
pub const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// What all references of one system share: its name, its default for asks, and where undelivered messages go.
pub struct Env {
    system: Arc<str>,
    ask_timeout: Duration,
    time_asks: bool,
    sweeper: Arc<Sweeper>,
    dead_letters: DeadLetters,
    /// The node that the system belongs to.
    exchange: OnceLock<Weak<dyn Exchange>>,
    /// Who gives names that are unique in the node's cluster.
    naming: OnceLock<Box<dyn Naming>>,
}

impl Env {
    pub(super) fn new(system: Arc<str>, ask_timeout: Duration, time_asks: bool, detect_ask_cycles: bool) -> Arc<Self> {
        let (waits, dead_letters) = (detect_ask_cycles.then(Waits::default), DeadLetters::new(&system));
        let (sweeper, exchange, naming) = (Sweeper::new(waits), OnceLock::new(), OnceLock::new());
        Arc::new(Self { system, ask_timeout, time_asks, sweeper, dead_letters, exchange, naming })
    }

    /// The system belongs to this node. The first one stands.
    pub(crate) fn join(&self, exchange: Weak<dyn Exchange>) {
        let _ = self.exchange.set(exchange);
    }

    /// Names are unique in a cluster from now on.
    pub(crate) fn name_by(&self, naming: Box<dyn Naming>) {
        let _ = self.naming.set(naming);
    }

    /// Who gives names that are unique in a cluster, if the system belongs to a node.
    pub(super) fn naming(&self) -> Option<&dyn Naming> {
        self.naming.get().map(|naming| &**naming)
    }

    /// The node that the system belongs to, while it lives.
    pub(crate) fn exchange(&self) -> Option<Arc<dyn Exchange>> {
        self.exchange.get()?.upgrade()
    }

    /// Until what it returns is dropped, this thread decodes on behalf of the system's node.
    pub(crate) fn enter(&self) -> Entered {
        Entered::new(self.exchange())
    }

    /// The name of the system.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The time an ask may take by default.
    pub fn ask_timeout(&self) -> Duration {
        self.ask_timeout
    }

    /// Whether the time that asks take is a metric.
    #[inline]
    pub(super) fn times_asks(&self) -> bool {
        self.time_asks
    }

    /// Messages that nobody handled.
    pub fn dead_letters(&self) -> &DeadLetters {
        &self.dead_letters
    }

    #[inline]
    pub(crate) fn sweeper(&self) -> &Arc<Sweeper> {
        &self.sweeper
    }
}
