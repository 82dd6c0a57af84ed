//! What a client needs of the place where it runs.

use std::ops::Range;
use std::time::Duration;

/// What a client needs of the place where it runs.
pub trait Surroundings: Send {
    /// A number that no other client of the run has.
    fn number(&self) -> u64;

    /// How long the run has lasted, by a clock that all clients share.
    fn now(&self) -> Duration;

    /// For how long this process has run: it stands while the process stands still.
    fn ran(&self) -> Duration;

    /// A random number.
    fn random(&mut self, range: Range<u64>) -> u64;

    /// Whether the client should go on.
    fn goes_on(&self) -> bool;
}

impl Surroundings for crate::testkit::sim::Client {
    fn number(&self) -> u64 {
        Self::number(self)
    }

    fn now(&self) -> Duration {
        Self::now(self)
    }

    fn ran(&self) -> Duration {
        Self::ran(self)
    }

    fn random(&mut self, range: Range<u64>) -> u64 {
        Self::random(self, range)
    }

    fn goes_on(&self) -> bool {
        Self::goes_on(self)
    }
}
