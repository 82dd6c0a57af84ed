//! The work, generic over who does it.

mod allocations;
mod ask;
mod fan_out;
mod idle;
mod ring;
mod spawn_stop;
mod tell;

pub use allocations::{Allocations, allocations};
pub use idle::{Idle, idle};

use crate::competitors::Competitor;
use crate::meter::{Sample, Threads};

/// Work of which the time is taken.
pub struct Timed {
    /// The row's name.
    pub name: &'static str,
    /// What one figure of the row is.
    pub unit: Unit,
    /// The runtime.
    pub threads: Threads,
    /// How often its operation is done in one round, unless the whole run is scaled.
    pub operations: u64,
    /// What is done.
    pub work: Work,
}

/// What is done, and with how many tasks or actors.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Producers tell one actor.
    Tell(u64),
    /// Callers ask, each an actor of its own, and each one ask at a time.
    Ask(u64),
    /// Actors in a ring pass a ball.
    Ring(usize),
    /// One producer tells actors in turn.
    FanOut(u64),
    /// Actors are spawned, told once, and stopped.
    SpawnStop,
}

/// The unit of a row. Less is better in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds for one operation.
    Nanoseconds,
    /// Microseconds for one operation.
    Microseconds,
    /// Milliseconds in all.
    Milliseconds,
    /// Bytes for one actor or operation.
    Bytes,
    /// How many, for one operation.
    Count,
}

impl Unit {
    /// As it stands in a table.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::Bytes => "B",
            Self::Count => "count",
        }
    }
}

/// The rows of which the time is taken.
pub const TIMED: &[Timed] = &[
    timed("tell", Threads::Two, 250_000, Work::Tell(1)),
    timed("tell, 1 thread", Threads::One, 250_000, Work::Tell(1)),
    timed("tell, 4 producers", Threads::Two, 250_000, Work::Tell(4)),
    timed("ask", Threads::Two, 40_000, Work::Ask(1)),
    timed("ask, 1 thread", Threads::One, 40_000, Work::Ask(1)),
    timed("ask, 64 in flight", Threads::Two, 128_000, Work::Ask(64)),
    timed("ping-pong", Threads::Two, 100_000, Work::Ring(2)),
    timed("ping-pong, 1 thread", Threads::One, 100_000, Work::Ring(2)),
    timed("fan-out to 64", Threads::Two, 256_000, Work::FanOut(64)),
    Timed { unit: Unit::Microseconds, ..timed("spawn + stop", Threads::Two, 20_000, Work::SpawnStop) },
];

const fn timed(name: &'static str, threads: Threads, operations: u64, work: Work) -> Timed {
    Timed { name, unit: Unit::Nanoseconds, threads, operations, work }
}

/// Does timed work once, about so many times its operation, in a runtime of its own.
pub fn time<C: Competitor>(timed: &Timed, operations: u64) -> Sample {
    let work = timed.work;
    let nanoseconds = C::run(timed.threads, move |competitor| async move {
        match work {
            Work::Tell(producers) => tell::tell(competitor, producers, operations).await,
            Work::Ask(callers) => ask::ask(competitor, callers, operations).await,
            Work::Ring(actors) => ring::ring(competitor, actors, operations).await,
            Work::FanOut(actors) => fan_out::fan_out(competitor, actors, operations).await,
            Work::SpawnStop => spawn_stop::spawn_stop(competitor, operations).await,
        }
    });
    match timed.unit {
        Unit::Microseconds => {
            Sample { value: nanoseconds.value / 1e3, cpu: nanoseconds.cpu.map(|nanoseconds| nanoseconds / 1e3) }
        }
        _ => nanoseconds,
    }
}
