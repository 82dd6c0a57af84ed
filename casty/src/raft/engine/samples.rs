//! One consensus frame of each kind, as bytes: what tests of the decoder begin with.

use std::collections::BTreeSet;

use bytes::Bytes;
use openraft::entry::RaftEntry;
use openraft::raft::{SnapshotResponse, StreamAppendError, TransferLeaderRequest, VoteRequest, VoteResponse};
use openraft::{EntryPayload, Membership};

use super::types::{AppendRequest, Command, EngineVote, Entry, LogId, SnapshotMeta, StoredMembership, log_id};
use super::wire::{Chunk, Envelope, Frame, Part, Request, Response};
use crate::base::GroupId;
use crate::storage::LogPosition;

/// One frame of each kind.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    let spelled = |frame| {
        let mut out = Vec::new();
        Envelope { group: GroupId(3), frame }.encode(&mut out);
        out
    };
    frames().into_iter().map(spelled).collect()
}

fn frames() -> Vec<Frame> {
    let (vote, last) = (EngineVote::new_committed(4, 7), Some(at(11)));
    let asks = [
        Request::Vote(VoteRequest::new(vote, last)),
        Request::PreVote(VoteRequest::new(vote, last)),
        Request::Transfer(TransferLeaderRequest::new(vote, 8, last)),
        Request::Chunk(chunk(vote, Part::Head(Bytes::from_static(b"head")))),
        Request::Chunk(chunk(vote, Part::Rows(Bytes::from_static(b"\x01k\x01v")))),
        Request::Chunk(chunk(vote, Part::End { head_bytes: 4, rows: 1 })),
    ];
    let answers = [
        Response::Vote(VoteResponse::new(vote, last, true)),
        Response::Taken,
        Response::Installed(SnapshotResponse::new(vote)),
        Response::Refused,
        Response::Damaged,
        Response::Astray,
    ];
    let mut frames = vec![
        Frame::Append { session: 5, number: 0, request: append(vote) },
        Frame::Heartbeat { session: 5, request: AppendRequest { entries: Vec::new(), ..append(vote) } },
        Frame::End { session: 5 },
        Frame::Appended { session: 5, number: 2, result: Ok(last) },
        Frame::Appended { session: 5, number: 3, result: Err(StreamAppendError::Conflict(at(9))) },
        Frame::Appended { session: 5, number: 4, result: Err(StreamAppendError::HigherVote(vote)) },
        Frame::Gone { session: 5 },
    ];
    frames.extend(asks.into_iter().map(|request| Frame::Ask { id: 6, request }));
    frames.extend(answers.into_iter().map(|response| Frame::Answer { id: 6, response }));
    frames
}

fn at(index: u64) -> LogId {
    log_id(LogPosition { term: 4, index })
}

fn append(vote: EngineVote) -> AppendRequest {
    let entries = vec![
        Entry::new_blank(at(10)),
        Entry::new(at(11), EntryPayload::Normal(Command(Bytes::from_static(b"a command")))),
        Entry::new(at(12), EntryPayload::Membership(voters())),
    ];
    AppendRequest { vote, prev_log_id: Some(at(9)), entries, leader_commit: Some(at(8)) }
}

fn chunk(vote: EngineVote, part: Part) -> Chunk {
    let last_membership = StoredMembership::new(Some(at(1)), voters());
    Chunk::new(2, vote, SnapshotMeta { last_log_id: Some(at(8)), last_membership }, 0, part)
}

fn voters() -> Membership<u64, ()> {
    Membership::new_with_defaults(vec![BTreeSet::from([7, 8, 9])], [7, 8, 9])
}
