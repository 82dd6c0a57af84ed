//! What hosts say to each other.

use bytes::Bytes;
use openraft::raft::{SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse};
use serde::{Deserialize, Serialize};

use super::types::{AppendRequest, AppendResult, EngineVote, SnapshotMeta, TypeConfig};
use crate::base::GroupId;
use crate::codec;

/// One frame between two replicas of a group.
#[derive(Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) group: GroupId,
    pub(super) frame: Frame,
}

/// A session is a stream of appends from a leader to one follower. Its appends are numbered from 0, and its replies
/// bear the numbers of the appends, so that a frame that was lost is noticed.
#[derive(Serialize, Deserialize)]
pub(super) enum Frame {
    /// Leader to follower.
    Append { session: u64, number: u64, request: AppendRequest },
    /// Leader to follower: an append by itself, outside any order.
    Heartbeat { session: u64, request: AppendRequest },
    /// Leader to follower: no more appends come.
    End { session: u64 },
    /// Follower to leader.
    Appended { session: u64, number: u64, result: AppendResult },
    /// Follower to leader: there is no such session here, or not any more.
    Gone { session: u64 },
    /// Either way, answered once.
    Ask { id: u64, request: Request },
    /// The answer to an ask.
    Answer { id: u64, response: Response },
}

#[derive(Serialize, Deserialize)]
pub(super) enum Request {
    Vote(VoteRequest<TypeConfig>),
    PreVote(VoteRequest<TypeConfig>),
    Transfer(TransferLeaderRequest<TypeConfig>),
    Chunk(Chunk),
}

#[derive(Serialize, Deserialize)]
pub(super) enum Response {
    Vote(VoteResponse<TypeConfig>),
    Transfer(TransferLeaderResponse<TypeConfig>),
    /// A chunk that is not the last was taken.
    Taken,
    /// The last chunk was taken, and the snapshot is installed or was not needed.
    Installed(SnapshotResponse<TypeConfig>),
    /// The request could not be served: the group is not open, or the chunk is out of place.
    Refused,
}

/// A part of a snapshot.
#[derive(Serialize, Deserialize)]
pub(super) struct Chunk {
    /// Tells one attempt from the next.
    pub(super) transfer: u64,
    pub(super) vote: EngineVote,
    pub(super) meta: SnapshotMeta,
    /// The bytes of the whole snapshot.
    pub(super) total: u64,
    /// Where `bytes` belongs.
    pub(super) offset: u64,
    pub(super) bytes: Bytes,
}

impl Envelope {
    /// Appends the frame to `out`. A frame that cannot be encoded leaves nothing behind, and its session notices.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let before = out.len();
        if let Err(why) = codec::encode_into(self, out) {
            out.truncate(before);
            tracing::error!(group = %self.group, %why, "a consensus frame was not sent");
        }
    }

    /// Decodes a frame and checks what the library takes for granted.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let envelope: Self = codec::decode(bytes).map_err(|why| why.to_string())?;
        if let Frame::Append { request, .. } | Frame::Heartbeat { request, .. } = &envelope.frame
            && !consecutive(request)
        {
            return Err("the entries of an append are not consecutive".into());
        }
        Ok(envelope)
    }
}

fn consecutive(request: &AppendRequest) -> bool {
    let first = request.prev_log_id.map_or(0, |previous| previous.index.saturating_add(1));
    (first..).zip(&request.entries).all(|(index, entry)| entry.log_id.index == index)
}
