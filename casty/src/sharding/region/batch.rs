//! The records that leave for the log together.

use bytes::Bytes;

use super::cells::CellKey;
use super::sends::Parcel;
use crate::base::{EntityId, RequestId};
use crate::codec::EncodeError;
use crate::replication::{Record, encode_batch_header};
use crate::sharding::protocol::Outcome;

/// The most that one record may take, state and reply together, in bytes.
const RECORD_BYTES_MAX: usize = 3 << 20;

// A batch that takes its last record just below its limit still fits into one log entry.
const _: () = assert!(super::BATCH_BYTES_MAX + RECORD_BYTES_MAX < crate::raft::COMMAND_BYTES_MAX);

/// A batch that collects while the one before it is on its way. Load makes it larger, not later.
pub(super) struct Batch {
    /// Batches of one opening of the region are numbered from 1.
    pub(super) number: u64,
    bytes: Vec<u8>,
    command: Option<Bytes>,
    /// What to do once it is committed, record by record.
    pub(super) effects: Vec<BatchEffect>,
}

/// What a committed record releases.
pub(super) struct BatchEffect {
    pub(super) cell: CellKey,
    pub(super) version: u64,
    pub(super) answer: Option<Answer>,
    pub(super) parcel: Option<Parcel>,
}

/// The answer to the request of a record.
pub(super) struct Answer {
    pub(super) id: RequestId,
    pub(super) outcome: Outcome,
    /// The opening of the session to which it was told before the commit.
    pub(super) told: Option<u64>,
}

/// What a record says of its entity.
pub(super) struct Entry<'a> {
    pub(super) entity_type: u32,
    pub(super) entity: &'a EntityId,
    pub(super) floor: u64,
    pub(super) change: Option<&'a [u8]>,
    pub(super) reply: crate::replication::Reply<'a>,
}

impl Batch {
    /// An empty batch.
    pub(super) fn new(number: u64) -> Self {
        let mut bytes = Vec::new();
        encode_batch_header(&mut bytes);
        Self { number, bytes, command: None, effects: Vec::new() }
    }

    /// Whether it has no records.
    pub(super) fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// How large its log entry is, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a record, and what it releases. On an error the batch is as before.
    pub(super) fn push(&mut self, entry: &Entry<'_>, effect: BatchEffect) -> Result<(), EncodeError> {
        let record = Record {
            entity_type: entry.entity_type,
            entity: entry.entity.as_str(),
            version: effect.version,
            request: effect.answer.as_ref().map(|answer| answer.id),
            floor: entry.floor,
            change: entry.change,
            reply: entry.reply,
        };
        let before = self.bytes.len();
        let mut written = crate::codec::encode_into(&record, &mut self.bytes);
        let bytes = self.bytes.len() - before;
        if written.is_ok() && bytes > RECORD_BYTES_MAX {
            let why =
                format!("it takes {bytes} bytes, and {RECORD_BYTES_MAX} are allowed: keep less state in one entity");
            written = Err(EncodeError { of: "state and reply of an entity", why });
        }
        written.inspect_err(|_| self.bytes.truncate(before))?;
        self.effects.push(effect);
        Ok(())
    }

    /// The sends of the records that were applied. `rejected` is the output of the entry: the places of the others.
    pub(super) fn sends_of_applied(self, rejected: &[u8]) -> impl Iterator<Item = Parcel> {
        let (places, rest) = rejected.as_chunks::<4>();
        let unreadable = !rest.is_empty();
        let rejected: Vec<u32> = places.iter().map(|place| u32::from_le_bytes(*place)).collect();
        let applied = move |place: u32| !unreadable && !rejected.contains(&place);
        (0..).zip(self.effects).filter(move |(place, _)| applied(*place)).filter_map(|(_, effect)| effect.parcel)
    }

    /// The log entry. No records are added after this.
    pub(super) fn command(&mut self) -> Bytes {
        self.command.get_or_insert_with(|| std::mem::take(&mut self.bytes).into()).clone()
    }
}
