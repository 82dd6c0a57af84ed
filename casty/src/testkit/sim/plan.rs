//! Draws faults.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use super::fault::{Fault, FaultKind, Faults};

/// A fault lasts at least so long.
const SHORTEST: Duration = Duration::from_millis(20);

const SLOW_LINK_MOST: Duration = Duration::from_millis(500);
const SLOW_DISK_MOST: Duration = Duration::from_millis(250);
const CLOCK_JUMP_MOST: Duration = Duration::from_secs(5);

/// Draws the faults of a run, one after the other.
pub(super) struct Plan {
    faults: Faults,
    nodes: usize,
    /// The nodes that hold replicas.
    founders: usize,
    /// How many founders may still crash while the cluster is founded: a minority of each group's replicas.
    losses_left: usize,
    lost: Vec<usize>,
    /// Whether crashes are what happens while the cluster is being founded, and nothing else, or all but crashes. A founder
    /// that was cut off and gave its promise up has lost its replicas like one that crashed; both would be too many.
    crashes_while_founding: bool,
    rng: StdRng,
    next: Duration,
}

impl Plan {
    /// Faults among `nodes` nodes, of which the first `founders` hold replicas, from `begin` on.
    pub(super) fn new(
        faults: Faults,
        nodes: usize,
        founders: usize,
        replicas: usize,
        begin: Duration,
        seed: u64,
    ) -> Self {
        let losses_left = (replicas.min(founders) - 1) / 2;
        let mut rng = StdRng::seed_from_u64(seed);
        let (lost, crashes_while_founding) = (Vec::new(), rng.random());
        let mut plan = Self { faults, nodes, founders, losses_left, lost, crashes_while_founding, rng, next: begin };
        plan.schedule(begin);
        plan
    }

    /// The fault that begins at `now`, if one does, and for how long.
    pub(super) fn draw(&mut self, now: Duration, founding: bool) -> Option<(Fault, Duration)> {
        if now < self.next {
            return None;
        }
        self.schedule(now);
        let kinds: Vec<_> = self.faults.kinds.iter().copied().collect();
        let kind = *kinds.choose(&mut self.rng)?;
        let crashes = matches!(kind, FaultKind::Crash | FaultKind::PowerLoss);
        if founding
            && (matches!(kind, FaultKind::Leave | FaultKind::Blackout) || crashes != self.crashes_while_founding)
        {
            return None;
        }
        let lasts = self.between(SHORTEST, self.faults.longest.max(SHORTEST));
        let fault = self.fault(kind)?;
        match fault {
            Fault::Crash { node, .. } if founding && !self.may_crash(node) => None,
            fault => Some((fault, lasts)),
        }
    }

    /// The times between faults are exponentially distributed, as those of independent accidents.
    fn schedule(&mut self, now: Duration) {
        let uniform: f64 = self.rng.random_range(f64::EPSILON..1.0);
        self.next = now + self.faults.every.mul_f64(-uniform.ln());
    }

    fn fault(&mut self, kind: FaultKind) -> Option<Fault> {
        let node = self.rng.random_range(0..self.nodes);
        let fault = match kind {
            FaultKind::Crash | FaultKind::PowerLoss => Fault::Crash { node, power: kind == FaultKind::PowerLoss },
            FaultKind::Blackout => Fault::Blackout,
            FaultKind::Leave => Fault::Leave { node },
            FaultKind::Pause => Fault::Halt { node, clock_stands: false },
            FaultKind::Freeze => Fault::Halt { node, clock_stands: true },
            FaultKind::ClockJump => {
                Fault::ClockJump { node, by: self.between(Duration::from_millis(1), CLOCK_JUMP_MOST) }
            }
            FaultKind::SlowDisk => Fault::SlowDisk { node, by: self.between(Duration::from_millis(1), SLOW_DISK_MOST) },
            FaultKind::Halves | FaultKind::Bridge => {
                let ways = self.halves(kind == FaultKind::Bridge);
                Fault::Cut { kind, ways }
            }
            FaultKind::Deaf => Fault::Cut { kind, ways: self.others(node).map(|other| (other, node)).collect() },
            FaultKind::Mute => Fault::Cut { kind, ways: self.others(node).map(|other| (node, other)).collect() },
            FaultKind::OneWay | FaultKind::SlowLink | FaultKind::BrokenConnections => {
                let others: Vec<_> = self.others(node).collect();
                let other = *others.choose(&mut self.rng)?;
                match kind {
                    FaultKind::OneWay => Fault::Cut { kind, ways: vec![(node, other)] },
                    FaultKind::BrokenConnections => Fault::BrokenConnections { a: node, b: other },
                    _ => {
                        let by = self.between(Duration::from_millis(5), SLOW_LINK_MOST);
                        Fault::SlowLink { a: node, b: other, by }
                    }
                }
            }
        };
        Some(fault)
    }

    /// The ways between two halves; a bridge belongs to both.
    fn halves(&mut self, bridge: bool) -> Vec<(usize, usize)> {
        let mut nodes: Vec<_> = (0..self.nodes).collect();
        nodes.shuffle(&mut self.rng);
        if bridge {
            nodes.pop();
        }
        let middle = self.rng.random_range(0..=nodes.len());
        let (left, right) = nodes.split_at(middle);
        left.iter().flat_map(|a| right.iter().flat_map(|b| [(*a, *b), (*b, *a)])).collect()
    }

    /// Whether a node may crash while the cluster is founded: nobody takes the place of a founder before it is.
    fn may_crash(&mut self, node: usize) -> bool {
        if node >= self.founders || self.lost.contains(&node) {
            return true;
        }
        let may = self.losses_left > 0;
        if may {
            self.losses_left -= 1;
            self.lost.push(node);
        }
        may
    }

    fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.nodes).filter(move |other| *other != node)
    }

    fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        Duration::from_millis(self.rng.random_range(shortest.as_millis() as u64..=longest.as_millis() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(seed: u64) -> Vec<(Fault, Duration)> {
        drawn(seed, false)
    }

    fn drawn(seed: u64, founding: bool) -> Vec<(Fault, Duration)> {
        let faults = Faults::all().with(FaultKind::Blackout);
        let mut plan = Plan::new(faults, 4, 3, 3, Duration::ZERO, seed);
        (0..60_000).filter_map(|ms| plan.draw(Duration::from_millis(ms), founding)).collect()
    }

    #[test]
    fn a_seed_stands_for_one_sequence_of_faults() {
        assert_eq!(faults_of(1), faults_of(1));
        assert_ne!(faults_of(1), faults_of(2));
    }

    #[test]
    fn a_founding_loses_a_minority_of_the_replicas_however_long_it_is() {
        for seed in 0..50 {
            let crashed = |(fault, _): &(Fault, _)| match fault {
                Fault::Crash { node, .. } if *node < 3 => Some(*node),
                _ => None,
            };
            let mut founders: Vec<_> = drawn(seed, true).iter().filter_map(crashed).collect();
            founders.sort_unstable();
            founders.dedup();
            assert!(founders.len() <= 1, "seed {seed}: {founders:?}");
        }
    }

    #[test]
    fn while_a_cluster_is_founded_nodes_crash_or_suffer_something_else() {
        let mut crashed = 0;
        for seed in 0..20 {
            let drawn = drawn(seed, true);
            let crashes = drawn.iter().filter(|(fault, _)| matches!(fault, Fault::Crash { .. })).count();
            assert!(!drawn.is_empty() && (crashes == 0 || crashes == drawn.len()), "seed {seed}: {drawn:?}");
            crashed += usize::from(crashes > 0);
        }
        assert!((1..20).contains(&crashed), "{crashed} of 20");
    }

    #[test]
    fn every_kind_is_drawn() {
        let all: Vec<_> = (0..20).flat_map(faults_of).collect();
        let cut = |wanted| all.iter().any(|(fault, _)| matches!(fault, Fault::Cut { kind, .. } if *kind == wanted));
        for kind in [FaultKind::Halves, FaultKind::Bridge, FaultKind::OneWay, FaultKind::Deaf, FaultKind::Mute] {
            assert!(cut(kind), "{kind:?}");
        }
        assert!(all.iter().any(|(fault, _)| matches!(fault, Fault::Crash { power: true, .. })));
        assert!(all.iter().any(|(fault, _)| matches!(fault, Fault::Halt { clock_stands: true, .. })));
        assert!(all.iter().any(|(fault, _)| matches!(fault, Fault::ClockJump { .. })));
        assert!(all.iter().any(|(fault, _)| matches!(fault, Fault::SlowDisk { .. })));
        assert!(all.iter().any(|(fault, _)| matches!(fault, Fault::Leave { .. })));
        assert!(all.iter().any(|(fault, _)| *fault == Fault::Blackout));
    }
}
