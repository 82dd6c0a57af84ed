//! One thing that is broken, or mended.

use std::fmt;

use crate::processes::{Partition, Quality};

/// One thing that is broken, or mended. Nodes have numbers from 0 on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    Kill(usize),
    /// All processes at once.
    KillAll,
    Restart(usize),
    Leave(usize),
    Pause(usize),
    Resume(usize),
    /// What is cut, and in words.
    Part(Partition, String),
    Heal,
    Slow(Quality),
    Quicken,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(node) => write!(f, "kill node-{}", node + 1),
            Self::KillAll => f.write_str("kill-all"),
            Self::Restart(node) => write!(f, "restart node-{}", node + 1),
            Self::Leave(node) => write!(f, "leave node-{}", node + 1),
            Self::Pause(node) => write!(f, "pause node-{}", node + 1),
            Self::Resume(node) => write!(f, "resume node-{}", node + 1),
            Self::Part(_, words) => write!(f, "part: {words}"),
            Self::Heal => f.write_str("heal"),
            Self::Slow(Quality { delay, jitter, loss }) => {
                write!(f, "wires delay by {delay:?} and up to {jitter:?} more, and lose {:.1} %", loss * 100.0)
            }
            Self::Quicken => f.write_str("wires are good"),
        }
    }
}
