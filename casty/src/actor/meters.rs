//! What is counted, through the facade of the `metrics` crate. Asks aside, it costs a comparison each time while no recorder
//! is installed. A recorder has to be installed before the system is made.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const ACTORS: &str = "casty_actors";
const HANDLED: &str = "casty_messages_handled_total";
const DEPTH: &str = "casty_mailbox_depth";
const FAILURES: &str = "casty_actor_failures_total";
const RESTARTS: &str = "casty_actor_restarts_total";
const DEAD_LETTERS: &str = "casty_dead_letters_total";
const ASK: &str = "casty_ask_seconds";

/// What is counted of the actors of one type in one system, each under the labels `system` and `actor`.
pub(super) struct Meters {
    /// Those that live.
    pub(super) actors: Gauge,
    /// Messages that were handled.
    pub(super) handled: Counter,
    /// How many messages an actor found when it looked into its mailbox.
    pub(super) depth: Histogram,
    /// Failures, of which `on_error` was told.
    pub(super) failures: Counter,
    /// Instances that were made anew.
    pub(super) restarts: Counter,
}

impl Meters {
    #[cold]
    pub(super) fn new(system: &str, actor: &'static str) -> Self {
        describe();
        let system = system.to_owned();
        Self {
            actors: gauge!(ACTORS, "system" => system.clone(), "actor" => actor),
            handled: counter!(HANDLED, "system" => system.clone(), "actor" => actor),
            depth: histogram!(DEPTH, "system" => system.clone(), "actor" => actor),
            failures: counter!(FAILURES, "system" => system.clone(), "actor" => actor),
            restarts: counter!(RESTARTS, "system" => system, "actor" => actor),
        }
    }
}

/// Messages that nobody handled, for one reason.
pub(super) fn dead_letters(system: &str, reason: &'static str) -> Counter {
    counter!(DEAD_LETTERS, "system" => system.to_owned(), "reason" => reason)
}

/// One ask, from its first poll to its end.
pub(super) fn ask(system: &str, actor: &'static str, outcome: &'static str, took: Duration) {
    histogram!(ASK, "system" => system.to_owned(), "actor" => actor, "outcome" => outcome).record(took);
}

fn describe() {
    describe_gauge!(ACTORS, "Living actors of this type.");
    describe_counter!(HANDLED, "Messages that actors of this type handled, or failed on.");
    describe_histogram!(DEPTH, "Messages that an actor found when it looked into its mailbox.");
    describe_counter!(FAILURES, "Failures of actors of this type, those of their children included.");
    describe_counter!(RESTARTS, "Instances of actors of this type that were made anew.");
    describe_counter!(DEAD_LETTERS, "Messages that nobody handled, by the reason.");
    describe_histogram!(ASK, Unit::Seconds, "From the first poll of an ask to its end, by its outcome.");
}
