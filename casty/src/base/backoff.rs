//! How long to wait before the next attempt.

use std::time::Duration;

use rand::{Rng, RngExt};

/// Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015): the n-th delay is drawn
/// evenly from half of `first * 2^n` to all of it, and `first * 2^n` stops growing at `longest`.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempt: u32,
}

impl Backoff {
    /// Delays from `first` up to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempt: 0 }
    }

    /// The same, when `attempt` delays are over.
    pub const fn nth(first: Duration, longest: Duration, attempt: u32) -> Self {
        Self { first, longest, attempt }
    }

    /// The delay before the next attempt.
    pub fn next_delay(&mut self, rng: &mut impl Rng) -> Duration {
        let full = self.first.saturating_mul(1 << self.attempt.min(20)).min(self.longest);
        self.attempt = self.attempt.saturating_add(1);
        full.mul_f64(rng.random_range(0.5..=1.0))
    }

    /// An attempt succeeded: begin again with the shortest delay.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn delays_grow_to_the_longest_and_never_beyond() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(500));
        for attempt in 0..64u32 {
            let full = Duration::from_millis(10).saturating_mul(1 << attempt.min(20)).min(Duration::from_millis(500));
            let delay = backoff.next_delay(&mut rng);
            assert!(delay >= full / 2 && delay <= full, "attempt {attempt}: {delay:?} of {full:?}");
        }
        backoff.reset();
        assert!(backoff.next_delay(&mut rng) <= Duration::from_millis(10));
    }
}
