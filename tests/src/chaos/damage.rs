//! What is broken now, and what may be broken next: a pure core, so that a seed says which faults come.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::fault::Fault;
use crate::processes::{Partition, Quality};

/// What is broken now.
#[derive(Debug)]
pub(super) struct Damage {
    nodes: Vec<Node>,
    parted: bool,
    slow: bool,
    can_part: bool,
    can_delay: bool,
    /// As many founders may lose their memory.
    lost_max: usize,
    rng: StdRng,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    state: State,
    /// It lost its memory with its first life: it holds no replica any more.
    guest: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Paused,
    Down,
}

/// No more nodes stand still at a time.
const PAUSED_MAX: usize = 2;

impl Damage {
    /// A whole cluster with so many replicas of everything, whose wires can do so much.
    pub(super) fn none(nodes: usize, replicas: usize, can_part: bool, can_delay: bool, seed: u64) -> Self {
        let nodes = vec![Node { state: State::Up, guest: false }; nodes];
        // Whichever they are, a minority of each group's replicas.
        let lost_max = (replicas - 1) / 2;
        Self { nodes, parted: false, slow: false, can_part, can_delay, lost_max, rng: StdRng::seed_from_u64(seed) }
    }

    /// Whether nothing is broken; dead nodes do not count.
    pub(super) fn is_calm(&self) -> bool {
        !self.parted && !self.slow && self.nodes.iter().all(|node| node.state != State::Paused)
    }

    /// Whether the process of a node runs.
    pub(super) fn is_up(&self, node: usize) -> bool {
        self.nodes[node].state == State::Up
    }

    /// The nodes that hold replicas.
    pub(super) fn founders(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| !self.nodes[*node].guest).collect()
    }

    /// How long the present state lasts.
    pub(super) fn pause(&mut self) -> Duration {
        Duration::from_millis(self.rng.random_range(200..1_800))
    }

    /// Draws what happens next, and reckons with it from now on.
    pub(super) fn next(&mut self) -> Fault {
        let possible = self.possible();
        let total: u32 = possible.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.rng.random_range(0..total.max(1));
        let fault = possible.into_iter().find(|(weight, _)| {
            let found = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            found
        });
        let fault = fault.map_or(Fault::Heal, |(_, fault)| fault);
        self.reckon(&fault);
        fault
    }

    /// All that makes the cluster whole again.
    pub(super) fn repair(&mut self) -> Vec<Fault> {
        let mut repairs = Vec::new();
        repairs.extend(self.can_part.then_some(Fault::Heal));
        repairs.extend(self.can_delay.then_some(Fault::Quicken));
        for (number, node) in self.nodes.iter().enumerate() {
            match node.state {
                State::Up => {}
                State::Paused => repairs.push(Fault::Resume(number)),
                State::Down => repairs.push(Fault::Restart(number)),
            }
        }
        repairs.iter().for_each(|repair| self.reckon(repair));
        repairs
    }

    /// What may come next, each with its weight.
    fn possible(&mut self) -> Vec<(u32, Fault)> {
        let mut possible = Vec::new();
        let lost = self.nodes.iter().filter(|node| node.guest).count();
        let paused = self.nodes.iter().filter(|node| node.state == State::Paused).count();
        for (number, node) in self.nodes.iter().enumerate() {
            // A minority of the founders may lose its memory, and not too soon: from then on there is little to spare.
            // A guest has nothing to lose.
            let weight = match node.guest {
                true => 3,
                false if lost >= self.lost_max => 0,
                false if self.is_calm() => 3,
                false => 1,
            };
            if node.state != State::Down && weight > 0 {
                possible.push((weight, Fault::Kill(number)));
            }
            match node.state {
                State::Up if paused < PAUSED_MAX => possible.push((2, Fault::Pause(number))),
                State::Up => {}
                State::Paused => possible.push((12, Fault::Resume(number))),
                State::Down => possible.push((6, Fault::Restart(number))),
            }
        }
        match (self.can_part, self.parted) {
            (true, false) => possible.push((12, self.partition())),
            (true, true) => possible.push((20, Fault::Heal)),
            (false, _) => {}
        }
        match (self.can_delay, self.slow) {
            (true, false) => possible.push((4, self.quality())),
            (true, true) => possible.push((6, Fault::Quicken)),
            (false, _) => {}
        }
        possible
    }

    fn partition(&mut self) -> Fault {
        let nodes = self.nodes.len();
        let mut order: Vec<_> = (0..nodes).collect();
        for place in (1..nodes).rev() {
            order.swap(place, self.rng.random_range(0..place + 1));
        }
        let (first, second) = (order[0], order[1]);
        let (few, many) = order.split_at(nodes / 2);
        let names = |nodes: &[usize]| nodes.iter().map(|node| format!("{}", node + 1)).collect::<Vec<_>>().join(",");
        let (partition, words) = match self.rng.random_range(0..7) {
            0 => (Partition::isolated(first, nodes), format!("{} is alone", first + 1)),
            1 => (Partition::one_way(first, second), format!("{} cannot send to {}", first + 1, second + 1)),
            2 => (Partition::deaf(first, nodes), format!("{} cannot receive", first + 1)),
            3 => (Partition::mute(first, nodes), format!("{} cannot send", first + 1)),
            4 => (Partition::halves(few, many), format!("{} | {}", names(few), names(many))),
            5 => {
                let (bridge, many) = (many[0], &many[1..]);
                let words = format!("{} | {}, and {} sees all", names(few), names(many), bridge + 1);
                (Partition::halves(few, many), words)
            }
            _ => (Partition::ring(nodes), "each sees its neighbours".to_owned()),
        };
        Fault::Part(partition, words)
    }

    fn quality(&mut self) -> Fault {
        let delay = Duration::from_millis(self.rng.random_range(0..30));
        let jitter = Duration::from_millis(self.rng.random_range(0..20));
        Fault::Slow(Quality { delay, jitter, loss: f64::from(self.rng.random_range(0..50)) / 1_000.0 })
    }

    fn reckon(&mut self, fault: &Fault) {
        match fault {
            Fault::Kill(node) => self.nodes[*node] = Node { state: State::Down, guest: true },
            Fault::Restart(node) | Fault::Resume(node) => self.nodes[*node].state = State::Up,
            Fault::Pause(node) => self.nodes[*node].state = State::Paused,
            Fault::Part(..) => self.parted = true,
            Fault::Heal => self.parted = false,
            Fault::Slow(_) => self.slow = true,
            Fault::Quicken => self.slow = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_minority_of_the_founders_is_killed_at_most_and_every_fault_comes() {
        let mut kinds = BTreeSet::new();
        for seed in 0..50 {
            let mut damage = Damage::none(5, 5, true, true, seed);
            let mut lost = BTreeSet::new();
            for _ in 0..200 {
                let fault = damage.next();
                kinds.insert(fault.to_string().split([' ', ':']).next().unwrap().to_owned());
                if let Fault::Kill(node) = fault {
                    lost.insert(node);
                }
                assert!(lost.len() <= 2, "seed {seed}: {lost:?}");
            }
            assert_eq!(lost.len(), 2, "seed {seed}");
        }
        assert_eq!(kinds.len(), 7, "{kinds:?}");
    }

    #[test]
    fn repairs_leave_nothing_broken() {
        let mut damage = Damage::none(5, 5, true, true, 7);
        for _ in 0..100 {
            damage.next();
        }
        damage.repair();
        assert!(damage.is_calm() && (0..5).all(|node| damage.is_up(node)));
    }

    #[test]
    fn wires_that_cannot_be_cut_are_not_cut() {
        let mut damage = Damage::none(3, 3, false, false, 1);
        let faults: Vec<_> = (0..200).map(|_| damage.next()).collect();
        assert!(!faults.iter().any(|fault| matches!(fault, Fault::Part(..) | Fault::Heal | Fault::Slow(_))));
    }
}
