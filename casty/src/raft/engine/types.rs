//! The consensus library's types as this crate uses them, and how they become ours.

use std::fmt;

use bytes::Bytes;
use openraft::impls::{EntryPayload, InlineBatch, Vote, leader_id_std};
use openraft::raft::responder::Responder;
use openraft::{RaftTypeConfig, alias};
use serde::{Deserialize, Serialize};

use crate::base::NodeKey;
use crate::raft::LeaderId;
use crate::storage::{self, LogPosition};

/// One choice of types for all groups.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(super) struct TypeConfig;

impl RaftTypeConfig for TypeConfig {
    type D = Command;
    type R = Bytes;
    type NodeId = u64;
    type Node = ();
    type Term = u64;
    // The other choice, `leader_id_adv`, allows several leaders in one term; ours are told apart by their terms.
    type LeaderId = leader_id_std::LeaderId<u64, u64>;
    type Vote = Vote<Self::LeaderId>;
    type Payload = EntryPayload<Command, u64, ()>;
    type Entry = alias::DefaultEntryOf<Self>;
    type AsyncRuntime = super::runtime::Runtime;
    type Responder<T>
        = Done<T>
    where
        T: Send + 'static;
    type Batch<T>
        = InlineBatch<T>
    where
        T: Send + 'static;
    type ErrorSource = openraft::AnyError;
}

pub(super) type Raft = openraft::Raft<TypeConfig, super::machine::MachineAdapter>;
pub(super) type LogId = alias::LogIdOf<TypeConfig>;
pub(super) type Entry = alias::EntryOf<TypeConfig>;
pub(super) type EngineVote = alias::VoteOf<TypeConfig>;
pub(super) type StoredMembership = alias::StoredMembershipOf<TypeConfig>;
pub(super) type SnapshotMeta = alias::SnapshotMetaOf<TypeConfig>;
pub(super) type AppendRequest = openraft::raft::AppendEntriesRequest<TypeConfig>;
pub(super) type AppendResult = openraft::raft::StreamAppendResult<TypeConfig>;
pub(super) type WriteResult = openraft::raft::ClientWriteResult<TypeConfig>;

/// A command of the group's machine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Command(pub(super) Bytes);

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command of {} bytes", self.0.len())
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Tells the proposer what became of its entry: `None` when the library let go of it without an answer.
pub(super) struct Done<T>(Option<Box<dyn FnOnce(Option<T>) + Send>>);

impl<T> Done<T> {
    pub(super) fn new(tell: impl FnOnce(Option<T>) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }
}

impl<T: Send + 'static> Responder<TypeConfig, T> for Done<T> {
    fn on_complete(mut self, result: T) {
        if let Some(tell) = self.0.take() {
            tell(Some(result));
        }
    }
}

impl<T> Drop for Done<T> {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(None);
        }
    }
}

pub(super) fn log_id(at: LogPosition) -> LogId {
    LogId::new(at.term.into(), at.index)
}

pub(super) fn position(id: &LogId) -> LogPosition {
    LogPosition { term: **id.committed_leader_id(), index: id.index }
}

pub(super) fn stored_vote(vote: &EngineVote) -> storage::Vote {
    storage::Vote { term: vote.leader_id.term, node: vote.leader_id.voted_for, committed: vote.committed }
}

pub(super) fn engine_vote(vote: storage::Vote) -> EngineVote {
    let mut engine = EngineVote::new(vote.term, vote.node);
    engine.committed = vote.committed;
    engine
}

/// The leader that a vote elected; none while it is only a candidate.
pub(super) fn leader(vote: &EngineVote) -> Option<LeaderId> {
    vote.committed.then_some(LeaderId { term: vote.leader_id.term, node: NodeKey(vote.leader_id.voted_for) })
}
