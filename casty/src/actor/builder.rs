//! The settings of a system.

use std::time::Duration;

use super::env::ASK_TIMEOUT;
use super::mailbox::MAILBOX_CAPACITY;
use super::{ActorSystem, Env, Shutdown};

/// Settings of an [`ActorSystem`].
#[derive(Clone, Debug)]
#[must_use = "call `build` to get the system"]
pub struct SystemBuilder {
    name: String,
    ask_timeout: Duration,
    mailbox_capacity: usize,
    shutdown: Shutdown,
    detect_ask_cycles: bool,
    time_asks: bool,
    first_number: u64,
}

impl SystemBuilder {
    pub(super) fn new(name: String) -> Self {
        let (ask_timeout, shutdown) = (ASK_TIMEOUT, Shutdown::new());
        let mailbox_capacity = MAILBOX_CAPACITY;
        Self {
            name,
            ask_timeout,
            mailbox_capacity,
            shutdown,
            detect_ask_cycles: true,
            time_asks: false,
            first_number: 0,
        }
    }

    /// How long an ask may take that does not say. The default is 5 seconds.
    pub fn ask_timeout(mut self, timeout: Duration) -> Self {
        self.ask_timeout = timeout;
        self
    }

    /// How many messages a mailbox holds, unless its actor is spawned with another number. The default is 1024.
    pub fn mailbox_capacity(mut self, messages: usize) -> Self {
        self.mailbox_capacity = messages;
        self
    }

    /// How the system ends. By default each phase has 10 seconds to handle what is queued.
    pub fn shutdown(mut self, how: Shutdown) -> Self {
        self.shutdown = how;
        self
    }

    /// Whether an ask from a handler is refused, with `AskError::Cycle`, that would wait for an actor which waits for this
    /// one. The default is yes; no saves each such ask the time to look, and lets it wait until its deadline.
    pub fn detect_ask_cycles(mut self, yes: bool) -> Self {
        self.detect_ask_cycles = yes;
        self
    }

    /// Whether the time that asks take is a metric, `casty_ask_seconds`. The default is no: it takes two looks at the clock and
    /// a look-up of the metric for each ask, whether or not a recorder is installed.
    pub fn time_asks(mut self, yes: bool) -> Self {
        self.time_asks = yes;
        self
    }

    /// From where actors, and what else is known by a number to others, are counted: beyond every number that an earlier
    /// system of the same node gave.
    pub(crate) fn first_number(mut self, number: u64) -> Self {
        self.first_number = number;
        self
    }

    /// The system.
    pub fn build(self) -> ActorSystem {
        ActorSystem::with(
            Env::new(self.name.into(), self.ask_timeout, self.time_asks, self.detect_ask_cycles),
            self.mailbox_capacity,
            self.shutdown,
            self.first_number,
        )
    }
}
