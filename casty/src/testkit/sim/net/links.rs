//! What may pass between two hosts, and how long it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// A host by its number.
pub(in crate::testkit::sim) type Host = usize;

/// What most messages take. The rest, one in [`STRAGGLERS`], takes up to [`STRAGGLING_MS`].
const LATENCY_US: std::ops::RangeInclusive<u64> = 200..=2_000;
const STRAGGLERS: u32 = 200;
const STRAGGLING_MS: std::ops::RangeInclusive<u64> = 5..=60;

/// The ways between hosts, each in one direction. All are whole, unless said otherwise.
#[derive(Clone, Debug, Default)]
pub(in crate::testkit::sim) struct Links {
    cut: BTreeSet<(Host, Host)>,
    slow: BTreeMap<(Host, Host), Duration>,
}

impl Links {
    /// Nothing passes any more.
    pub(in crate::testkit::sim) fn cut(&mut self, from: Host, to: Host) {
        self.cut.insert((from, to));
    }

    /// Everything takes up to this much longer.
    pub(in crate::testkit::sim) fn slow(&mut self, from: Host, to: Host, by: Duration) {
        let slow = self.slow.entry((from, to)).or_default();
        *slow = by.max(*slow);
    }

    /// Whether anything passes.
    pub(super) fn is_open(&self, from: Host, to: Host) -> bool {
        !self.cut.contains(&(from, to))
    }

    /// How long the next bytes take.
    pub(super) fn latency(&self, from: Host, to: Host, rng: &mut StdRng) -> Duration {
        let usual = match rng.random_ratio(1, STRAGGLERS) {
            true => Duration::from_millis(rng.random_range(STRAGGLING_MS)),
            false => Duration::from_micros(rng.random_range(LATENCY_US)),
        };
        let slow = self.slow.get(&(from, to)).map_or(Duration::ZERO, |most| most.mul_f64(rng.random()));
        usual + slow
    }
}
