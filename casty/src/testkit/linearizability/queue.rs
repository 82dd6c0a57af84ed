//! What to look at next.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::timeline::Position;
use super::tree::{Node, NodeId};

/// How many answered operations a configuration must be ahead to be looked at before one that placed one operation fewer of
/// unknown outcome. A wrong order of what overlaps shows within about so many operations, and should not be explained by
/// operations of unknown outcome that are needed later.
const AHEAD: i64 = 32;

/// What is to be tried at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Everything.
    Start,
    /// The answered operation called at this position, and the later ones.
    Call(Position),
    /// The operations of unknown outcome from this class on.
    Unknown(usize),
}

/// The nodes at which something is left to be tried, best first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: BinaryHeap<Entry>,
    pushed: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    merit: i64,
    /// Of equal merit the last one is next, as in a search depth-first.
    pushed: u64,
    node: NodeId,
    cursor: Cursor,
}

impl Queue {
    pub(super) fn push(&mut self, id: NodeId, node: &Node, cursor: Cursor) {
        let unknown = node.unknown + usize::from(matches!(cursor, Cursor::Unknown(_)));
        let merit = node.answered as i64 - AHEAD.saturating_mul(unknown as i64);
        self.pushed += 1;
        self.entries.push(Entry { merit, pushed: self.pushed, node: id, cursor });
    }

    pub(super) fn pop(&mut self) -> Option<(NodeId, Cursor)> {
        self.entries.pop().map(|entry| (entry.node, entry.cursor))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.merit, self.pushed).cmp(&(other.merit, other.pushed))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
