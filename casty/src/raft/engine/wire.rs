//! What hosts say to each other.

use bytes::Bytes;
use openraft::raft::{
    SnapshotResponse, StreamAppendError, TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};

use super::types::{AppendRequest, AppendResult, EngineVote, LogId, SnapshotMeta, TypeConfig};
use crate::base::{GroupId, stable_hash_parts};
use crate::codec;

/// One frame between two replicas of a group.
#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope {
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
    /// The request could not be served: the group is not open, or takes no such snapshot.
    Refused,
    /// The chunk did not arrive as it was sent.
    Damaged,
    /// The chunks before it are not here: the snapshot has to be sent anew.
    Astray,
}

/// A part of a snapshot.
#[derive(Serialize, Deserialize)]
pub(super) struct Chunk {
    /// Tells one transfer from the next.
    pub(super) transfer: u64,
    pub(super) vote: EngineVote,
    pub(super) meta: SnapshotMeta,
    /// Chunks are numbered from 0.
    pub(super) number: u64,
    /// A hash over all else.
    checksum: u64,
    pub(super) part: Part,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Part {
    /// The next bytes of the head.
    Head(Bytes),
    /// Some rows, as a [`RowBatch`](crate::storage::RowBatch).
    Rows(Bytes),
    /// That was all.
    End { head_bytes: u64, rows: u64 },
}

impl Chunk {
    pub(super) fn new(transfer: u64, vote: EngineVote, meta: SnapshotMeta, number: u64, part: Part) -> Self {
        let mut chunk = Self { transfer, vote, meta, number, checksum: 0, part };
        chunk.checksum = chunk.hash();
        chunk
    }

    /// Whether it arrived as it was sent.
    pub(super) fn is_whole(&self) -> bool {
        self.checksum == self.hash()
    }

    fn hash(&self) -> u64 {
        // What cannot be encoded is not sent either.
        let place = codec::encode(&(self.transfer, &self.vote, &self.meta, self.number)).unwrap_or_default();
        match &self.part {
            Part::Head(bytes) => stable_hash_parts(&[b"head", &place, bytes]),
            Part::Rows(bytes) => stable_hash_parts(&[b"rows", &place, bytes]),
            Part::End { head_bytes, rows } => {
                stable_hash_parts(&[b"end", &place, &head_bytes.to_le_bytes(), &rows.to_le_bytes()])
            }
        }
    }
}

impl Envelope {
    /// Appends the frame to `out`. A frame that cannot be encoded leaves nothing behind, and its session notices.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let before = out.len();
        if let Err(why) = codec::encode_into(self, out) {
            out.truncate(before);
            tracing::error!(group = %self.group, %why, "a consensus frame was not sent");
        }
    }

    /// Decodes a frame and checks what the library takes for granted.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let envelope: Self = codec::decode(bytes).map_err(|why| why.to_string())?;
        if let Frame::Append { request, .. } | Frame::Heartbeat { request, .. } = &envelope.frame
            && !consecutive(request)
        {
            return Err("the entries of an append are not consecutive".into());
        }
        if envelope.frame.indexes().into_iter().flatten().any(|index| index > INDEX_MAX) {
            return Err(format!("a place in the log is beyond {INDEX_MAX}"));
        }
        Ok(envelope)
    }
}

/// No log gets so far. The library counts on from every index that it is told, and may not come to the end of the numbers.
const INDEX_MAX: u64 = u64::MAX / 2;

impl Frame {
    /// The places in the log that it names, besides those of entries, which follow on the one before them.
    fn indexes(&self) -> [Option<u64>; 3] {
        let index = |id: &Option<LogId>| id.map(|id| id.index);
        match self {
            Self::Append { request, .. } | Self::Heartbeat { request, .. } => {
                let last = request.entries.last().map(|entry| entry.log_id.index);
                [index(&request.prev_log_id), last, index(&request.leader_commit)]
            }
            Self::Appended { result: Ok(matching), .. } => [index(matching), None, None],
            Self::Appended { result: Err(StreamAppendError::Conflict(at)), .. } => [Some(at.index), None, None],
            Self::Ask { request, .. } => request.indexes(),
            Self::Answer { response: Response::Vote(vote), .. } => [index(&vote.last_log_id), None, None],
            Self::Appended { .. } | Self::End { .. } | Self::Gone { .. } | Self::Answer { .. } => [None; 3],
        }
    }
}

impl Request {
    fn indexes(&self) -> [Option<u64>; 3] {
        let index = |id: &Option<LogId>| id.map(|id| id.index);
        match self {
            Self::Vote(vote) | Self::PreVote(vote) => [index(&vote.last_log_id), None, None],
            Self::Transfer(transfer) => [transfer.last_log_id().map(|id| id.index), None, None],
            Self::Chunk(Chunk { meta, .. }) => [index(&meta.last_log_id), index(meta.last_membership.log_id()), None],
        }
    }
}

/// Whether the entries follow on the one before them, and one on the other.
fn consecutive(request: &AppendRequest) -> bool {
    let mut next = request.prev_log_id.map_or(Some(0), |previous| previous.index.checked_add(1));
    request.entries.iter().all(|entry| {
        let fits = next == Some(entry.log_id.index);
        next = next.and_then(|index| index.checked_add(1));
        fits
    })
}

#[cfg(test)]
mod tests {
    use openraft::entry::RaftEntry;

    use super::*;
    use crate::raft::engine::types::log_id;
    use crate::storage::LogPosition;

    fn append(previous: Option<u64>, entries: &[u64]) -> Envelope {
        let at = |index| log_id(LogPosition { term: 1, index });
        let request = AppendRequest {
            vote: EngineVote::new_committed(1, 1),
            prev_log_id: previous.map(at),
            entries: entries.iter().map(|index| RaftEntry::new_blank(at(*index))).collect(),
            leader_commit: None,
        };
        Envelope { group: GroupId(1), frame: Frame::Append { session: 1, number: 0, request } }
    }

    fn travels(envelope: &Envelope) -> bool {
        let mut bytes = Vec::new();
        envelope.encode(&mut bytes);
        Envelope::decode(&bytes).is_ok()
    }

    #[test]
    fn entries_that_do_not_follow_on_one_another_are_refused() {
        assert!(travels(&append(None, &[0, 1, 2])) && travels(&append(Some(6), &[7, 8])));
        assert!(!travels(&append(None, &[1])) && !travels(&append(Some(6), &[7, 9])));
    }

    #[test]
    fn a_chunk_that_is_changed_anywhere_is_not_whole() {
        let at = |index| Some(log_id(LogPosition { term: 1, index }));
        let meta = SnapshotMeta { last_log_id: at(9), ..SnapshotMeta::default() };
        for part in [
            Part::Head(Bytes::from_static(b"head")),
            Part::Rows(Bytes::from_static(b"\x01k\x01v")),
            Part::End { head_bytes: 4, rows: 1 },
        ] {
            let bytes = codec::encode(&Chunk::new(7, EngineVote::new_committed(3, 2), meta.clone(), 1, part)).unwrap();
            assert!(codec::decode::<Chunk>(&bytes).unwrap().is_whole());
            for bit in 0..bytes.len() * 8 {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let whole = codec::decode::<Chunk>(&changed).is_ok_and(|chunk| chunk.is_whole());
                assert!(!whole, "bit {bit} of {bytes:?}");
            }
        }
    }

    #[test]
    fn a_place_at_the_end_of_all_numbers_is_refused() {
        assert!(travels(&append(Some(INDEX_MAX), &[])));
        for previous in [INDEX_MAX, u64::MAX - 1, u64::MAX] {
            assert!(!travels(&append(Some(previous), &[previous.saturating_add(1)])), "after {previous}");
        }
        let vote = VoteRequest::new(EngineVote::new(1, 1), Some(log_id(LogPosition { term: 1, index: u64::MAX })));
        let request = Request::Vote(vote);
        assert!(!travels(&Envelope { group: GroupId(1), frame: Frame::Ask { id: 1, request } }));
    }
}
