//! The configurations that were reached, each with the step that led to it.

use super::configuration::{Configuration, Step};
use super::memo::StateId;

/// A place in the tree.
pub(super) type NodeId = usize;

/// Where nothing is placed.
pub(super) const ROOT: NodeId = 0;

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) parent: NodeId,
    /// The step from the parent. `None` in the root.
    pub(super) step: Option<Step>,
    /// The state after it.
    pub(super) state: StateId,
    /// How many answered operations are placed.
    pub(super) answered: usize,
    /// How many of unknown outcome.
    pub(super) unknown: usize,
}

/// All that was reached, and a configuration that walks about in it.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    here: NodeId,
    pub(super) configuration: Configuration,
}

impl Tree {
    pub(super) fn new(configuration: Configuration, state: StateId) -> Self {
        let root = Node { parent: ROOT, step: None, state, answered: 0, unknown: 0 };
        Self { nodes: vec![root], here: ROOT, configuration }
    }

    pub(super) fn here(&self) -> Node {
        self.nodes[self.here]
    }

    pub(super) fn parent(&self) -> Node {
        self.nodes[self.here().parent]
    }

    /// Adds what a step from here leads to.
    pub(super) fn add(&mut self, step: Step, state: StateId) -> NodeId {
        let Node { answered, unknown, .. } = self.here();
        let (answered, unknown) = match step {
            Step::Answered(_) => (answered + 1, unknown),
            Step::Unknown(_) => (answered, unknown + 1),
        };
        self.nodes.push(Node { parent: self.here, step: Some(step), state, answered, unknown });
        self.nodes.len() - 1
    }

    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes[id]
    }

    /// Walks to another node, by way of the last that both have come through.
    pub(super) fn go_to(&mut self, target: NodeId) {
        let depth = |node: Node| node.answered + node.unknown;
        let (mut there, mut ahead) = (target, Vec::new());
        while self.here != there {
            let (from, to) = (self.here(), self.nodes[there]);
            if depth(from) >= depth(to) {
                from.step.into_iter().for_each(|step| self.configuration.take_back(step));
                self.here = from.parent;
            } else {
                ahead.extend(to.step);
                there = to.parent;
            }
        }
        ahead.into_iter().rev().for_each(|step| self.configuration.place(step));
        self.here = target;
    }

    /// The steps that lead here.
    pub(super) fn path(&self) -> Vec<Step> {
        let (mut path, mut node) = (Vec::new(), self.here());
        while let Some(step) = node.step {
            path.push(step);
            node = self.nodes[node.parent];
        }
        path.reverse();
        path
    }
}
