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
    /// What nodes hold outlives their processes.
    durable: bool,
    /// How many nodes hold each group.
    replicas: usize,
    rng: StdRng,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    state: State,
    /// Groups count on what it holds. It is lost otherwise: what its last life held has not been replaced yet.
    counts: bool,
    /// It has left the cluster, or is about to, and has not come back.
    left: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Paused,
    Leaving,
    Down,
}

impl Node {
    const WHOLE: Self = Self { state: State::Up, counts: true, left: false };
}

/// No more nodes stand still at a time.
const PAUSED_MAX: usize = 2;

impl Damage {
    /// A whole cluster with so many replicas of everything, whose wires can do so much.
    pub(super) fn none(nodes: usize, replicas: usize, can_part: bool, can_delay: bool, seed: u64) -> Self {
        let nodes = vec![Node::WHOLE; nodes];
        let rng = StdRng::seed_from_u64(seed);
        Self { nodes, parted: false, slow: false, can_part, can_delay, durable: false, replicas, rng }
    }

    /// The same, where what nodes hold outlives their processes.
    pub(super) fn of_durable_nodes(self) -> Self {
        Self { durable: true, ..self }
    }

    /// Whether the processes of all nodes run.
    pub(super) fn all_run(&self) -> bool {
        (0..self.nodes.len()).all(|node| self.is_up(node))
    }

    /// Whether nothing is broken; dead nodes do not count.
    pub(super) fn is_calm(&self) -> bool {
        !self.parted && !self.slow && self.nodes.iter().all(|node| node.state != State::Paused)
    }

    /// Whether the process of a node runs.
    pub(super) fn is_up(&self, node: usize) -> bool {
        self.nodes[node].state == State::Up
    }

    /// Whether no node is lost: every group has all its replicas.
    pub(super) fn is_whole(&self) -> bool {
        self.nodes.iter().all(|node| node.counts)
    }

    /// How many replicas every group has once all that is under way is done.
    pub(super) fn replicas(&self) -> usize {
        self.replicas.min(self.nodes.iter().filter(|node| !node.left).count())
    }

    /// The groups are seen to count on a node that was lost.
    pub(super) fn count_on(&mut self, node: usize) {
        self.nodes[node].counts = true;
    }

    /// A node that was to leave has left.
    pub(super) fn has_left(&mut self, node: usize) {
        self.nodes[node].state = State::Down;
    }

    /// The nodes that run, or stand still, and are lost.
    pub(super) fn lost(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| !self.nodes[*node].counts && self.is_up(*node)).collect()
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

    /// All that makes the cluster whole again but for the nodes that do not run.
    pub(super) fn repair(&mut self) -> Vec<Fault> {
        let mut repairs = Vec::new();
        repairs.extend(self.can_part.then_some(Fault::Heal));
        repairs.extend(self.can_delay.then_some(Fault::Quicken));
        repairs.extend(self.in_state(State::Paused).map(Fault::Resume));
        repairs.iter().for_each(|repair| self.reckon(repair));
        repairs
    }

    /// All that has every node run.
    pub(super) fn restart(&mut self) -> Vec<Fault> {
        let restarts: Vec<_> = self.in_state(State::Down).map(Fault::Restart).collect();
        restarts.iter().for_each(|restart| self.reckon(restart));
        restarts
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(move |node| self.nodes[*node].state == state)
    }

    /// What may come next, each with its weight.
    fn possible(&mut self) -> Vec<(u32, Fault)> {
        let mut possible = Vec::new();
        // At any time a minority of the replicas may be lost: whichever they are, each group keeps a majority.
        let lost = self.nodes.iter().filter(|node| !node.counts).count();
        let room = lost < (self.replicas - 1) / 2;
        let paused = self.in_state(State::Paused).count();
        let leaves = self.in_state(State::Leaving).next().is_some();
        if self.durable && !leaves {
            possible.push((2, Fault::KillAll));
        }
        for (number, node) in self.nodes.iter().enumerate() {
            let weight = match node.counts {
                // It has nothing to lose, but should have the time to get something.
                false => 1,
                // Whoever leaves has to come to an end.
                true if self.durable && leaves => 0,
                true if !self.durable && !room => 0,
                true if self.is_calm() => 3,
                true => 1,
            };
            if matches!(node.state, State::Up | State::Paused) && weight > 0 {
                possible.push((weight, Fault::Kill(number)));
            }
            if node.state == State::Up && node.counts && room && (!self.durable || self.all_run()) {
                possible.push((weight, Fault::Leave(number)));
            }
            match node.state {
                State::Up if paused < PAUSED_MAX => possible.push((2, Fault::Pause(number))),
                State::Up | State::Leaving => {}
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
            Fault::Kill(node) => {
                let killed = &mut self.nodes[*node];
                (killed.state, killed.counts) = (State::Down, killed.counts && self.durable);
            }
            Fault::KillAll => {
                self.nodes
                    .iter_mut()
                    .filter(|node| node.state != State::Leaving)
                    .for_each(|node| node.state = State::Down);
            }
            Fault::Leave(node) => self.nodes[*node] = Node { state: State::Leaving, counts: false, left: true },
            Fault::Restart(node) => (self.nodes[*node].state, self.nodes[*node].left) = (State::Up, false),
            Fault::Resume(node) => self.nodes[*node].state = State::Up,
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
    fn a_minority_is_lost_at_most_at_any_time_and_every_fault_comes_to_every_node() {
        let (mut kinds, mut lost_at_all) = (BTreeSet::new(), BTreeSet::new());
        for seed in 0..50 {
            let mut damage = Damage::none(5, 5, true, true, seed);
            let mut lost = BTreeSet::new();
            for step in 0..500 {
                let fault = damage.next();
                kinds.insert(fault.to_string().split([' ', ':']).next().unwrap().to_owned());
                if let Fault::Kill(node) | Fault::Leave(node) = fault {
                    lost.insert(node);
                    lost_at_all.insert((seed, node));
                }
                assert!(lost.len() <= 2, "seed {seed}: {lost:?}");
                if let Fault::Leave(node) = fault {
                    assert!(
                        !damage.is_up(node) && !damage.restart().contains(&Fault::Restart(node)),
                        "it has not left"
                    );
                    damage.has_left(node);
                }
                // Every now and then the groups have changed over.
                if step % 10 == 0 {
                    for node in damage.lost() {
                        damage.count_on(node);
                        lost.remove(&node);
                    }
                }
            }
        }
        assert_eq!(lost_at_all.len(), 250, "every node in every run");
        assert_eq!(kinds.len(), 8, "{kinds:?}");
    }

    #[test]
    fn durable_nodes_are_killed_in_any_number_and_hold_what_they_held() {
        let (mut most_down, mut all_at_once) = (0, 0);
        for seed in 0..50 {
            let mut damage = Damage::none(5, 5, true, true, seed).of_durable_nodes();
            for _ in 0..200 {
                match damage.next() {
                    Fault::Leave(node) => {
                        assert!(
                            (0..5).all(|other| other == node || damage.is_up(other)),
                            "who leaves needs the others"
                        );
                        damage.has_left(node);
                    }
                    Fault::KillAll => all_at_once += 1,
                    _ => {}
                }
                assert!(damage.nodes.iter().filter(|node| !node.counts).count() <= 2);
                most_down = most_down.max(damage.in_state(State::Down).count());
                damage.lost().into_iter().for_each(|node| damage.count_on(node));
            }
        }
        assert!(most_down == 5 && all_at_once > 50, "{most_down}, {all_at_once}");
    }

    #[test]
    fn a_node_that_has_left_and_not_come_back_is_not_expected_to_hold_anything() {
        let mut damage = Damage::none(3, 3, true, true, 1);
        damage.reckon(&Fault::Kill(1));
        assert_eq!((damage.replicas(), damage.is_whole()), (3, false));
        damage.reckon(&Fault::Leave(0));
        damage.has_left(0);
        assert_eq!((damage.replicas(), damage.lost()), (2, vec![]));
        damage.reckon(&Fault::Restart(0));
        assert_eq!((damage.replicas(), damage.lost()), (3, vec![0]));
    }

    #[test]
    fn repairs_leave_nothing_broken() {
        let mut damage = Damage::none(5, 5, true, true, 7);
        for _ in 0..100 {
            if let Fault::Leave(node) = damage.next() {
                damage.has_left(node);
            }
        }
        damage.repair();
        damage.restart();
        assert!(damage.is_calm() && (0..5).all(|node| damage.is_up(node)));
    }

    #[test]
    fn wires_that_cannot_be_cut_are_not_cut() {
        let mut damage = Damage::none(3, 3, false, false, 1);
        let faults: Vec<_> = (0..200).map(|_| damage.next()).collect();
        assert!(!faults.iter().any(|fault| matches!(fault, Fault::Part(..) | Fault::Heal | Fault::Slow(_))));
    }
}
