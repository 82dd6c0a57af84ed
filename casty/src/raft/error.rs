//! What can go wrong in a group.

use crate::base::{BoxError, GroupId, NodeKey};

use super::LeaderId;

/// A group could not be opened, changed or handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RaftError {
    /// The settings contradict each other. Nothing was started.
    #[error("cannot open {group:?} with these settings: {why}")]
    Settings {
        /// The group.
        group: GroupId,
        /// What is wrong.
        why: String,
    },
    /// The host has the group already; it goes on as it was.
    #[error("{group:?} is already open on this node; use it, or close it first")]
    AlreadyOpen {
        /// The group.
        group: GroupId,
    },
    /// The log was compacted and the state that took the place of its first entries is gone. Nothing was started.
    #[error(
        "the log of {group:?} begins behind entry {purged}, and the state up to there is not at hand; \
             let this node join the group again under a new key"
    )]
    StateMissing {
        /// The group.
        group: GroupId,
        /// The last entry that the log lacks.
        purged: u64,
    },
    /// The state that was saved could not be read, or the machine did not take it. Nothing was started.
    #[error("the saved state of {group:?} cannot be restored: {source}")]
    Unreadable {
        /// The group.
        group: GroupId,
        /// What the store or the machine said.
        source: BoxError,
    },
    /// A node may only begin a group in which it votes itself. Nothing was started.
    #[error("{node} cannot begin {group:?}, whose voters it is not among")]
    NotAVoter {
        /// The group.
        group: GroupId,
        /// The node that tried.
        node: NodeKey,
    },
    /// The leadership did not move in time. It may still move.
    #[error("the leadership of {group:?} did not move to {to}: {why}")]
    NotTransferred {
        /// The group.
        group: GroupId,
        /// The node that was to lead.
        to: NodeKey,
        /// What happened instead.
        why: String,
    },
    /// The voters could not be changed, or it is not known whether they were.
    #[error("the voters of {group:?} were not changed: {why}")]
    NotReconfigured {
        /// The group.
        group: GroupId,
        /// What happened instead.
        why: String,
    },
    /// The store of a group could not be opened. Nothing was started.
    #[error("cannot open the store of {group:?}: {source}")]
    Store {
        /// The group.
        group: GroupId,
        /// What the store said.
        source: std::io::Error,
    },
    /// The group stopped: it was closed, or its log or its machine failed. It stays stopped.
    #[error("{group:?} has stopped on this node: {why}")]
    Stopped {
        /// The group.
        group: GroupId,
        /// Why.
        why: String,
    },
}

/// A command was not committed, as far as this node knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// The command is not in the log and never will be. It can be proposed again.
    #[error("the command was not proposed to {group:?}: {why}")]
    NotProposed {
        /// The group.
        group: GroupId,
        /// Why.
        why: Refusal,
    },
    /// The command was proposed, and this node will not learn what became of it. It may still be committed.
    #[error("the command was proposed to {group:?}, whose leadership was lost since; it may still be committed")]
    Lost {
        /// The group.
        group: GroupId,
    },
}

/// Why a command was not taken into the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// This node does not lead under the leader id that the command was proposed under.
    #[error("this node does not lead; known leader: {leader:?}")]
    NotLeader {
        /// The leader, if one is known.
        leader: Option<LeaderId>,
    },
    /// This node leads, but heard from no quorum during the last lease.
    #[error("the leader has lost touch with the majority; try again in a moment")]
    NoQuorum,
    /// The leadership is about to move.
    #[error("the leadership is being handed over; try again in a moment")]
    Transferring,
    /// The queue of proposals is full.
    #[error("the queue of proposals is full; propose fewer commands at once")]
    Busy,
    /// The command is larger than [`COMMAND_BYTES_MAX`](super::COMMAND_BYTES_MAX).
    #[error("the command has {bytes} bytes, more than the limit of 8 MiB; split it")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The group has stopped on this node.
    #[error("the group has stopped on this node")]
    Stopped,
}

/// This node could not show that it leads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this node does not lead {group:?}, or could not ask a majority; known leader: {leader:?}")]
#[non_exhaustive]
pub struct NotLeader {
    /// The group.
    pub group: GroupId,
    /// The leader, if one is known.
    pub leader: Option<LeaderId>,
}
