//! What the copies of a machine say to each other.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::base::{GroupId, NodeKey};

/// A frame about the machine of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MachineWord {
    /// Have the leader, which the sender takes the receiver for, apply a command: the bytes of a log entry.
    Apply { group: GroupId, id: u64, entry: Bytes },
    /// What became of an [`Apply`](Self::Apply).
    Applied { id: u64, applied: Applied },
    /// Ask the leader up to where a copy has to be for a linearizable read.
    Read { group: GroupId, id: u64 },
    /// The answer to a [`Read`](Self::Read).
    ReadFrom { id: u64, index: ReadIndex },
}

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Applied {
    /// It was applied, now or before, and this is its output.
    Value(Bytes),
    /// The machine panicked.
    Failed,
    /// It was applied, now or before, and its output of so many bytes is not kept.
    Dropped { bytes: u64 },
    /// The leader's program cannot read it, and so has not proposed it.
    Unreadable,
    /// Its sender has heard the answer before.
    Over,
    /// This sender was given up for good.
    Expired(NodeKey),
    /// It was certainly not proposed: ask again, here or elsewhere.
    NotProposed,
    /// It may have been proposed, and may be applied still.
    Lost,
}

/// Up to which command of the log a copy has to be; `None` from a node that does not lead.
pub(crate) type ReadIndex = Option<u64>;
