//! The table of a data group: rows of entities, and the answers given.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::record::{Command, Record, Reply, decode_command};
use super::{Recorded, SessionTable, snapshot};
use crate::base::BoxError;
use crate::codec::DecodeError;
use crate::raft::Machine;
use crate::storage::StateStore;

/// The replicated state of one data group.
pub struct GroupState {
    pub(super) rows: Box<dyn StateStore>,
    pub(super) sessions: SessionTable,
}

/// What the table holds of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How many records of the entity were applied.
    pub version: u64,
    /// Its persistent fields, encoded; `None` if no record changed them.
    pub state: Option<Bytes>,
}

/// What applying a log entry did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The places within the batch of the records that were refused. Normally none.
    pub rejected: Vec<u32>,
}

impl GroupState {
    /// An empty table over `rows`.
    pub fn new(rows: Box<dyn StateStore>) -> Self {
        Self { rows, sessions: SessionTable::default() }
    }

    /// The row of an entity; `None` if it has never changed.
    pub fn row(&self, entity_type: u32, entity: &str) -> Option<Row> {
        let mut bytes = self.rows.get(&row_key(entity_type, entity))?;
        let version = u64::from_le_bytes(bytes.split_to(VERSION_BYTES).as_ref().try_into().ok()?);
        let has_state = bytes.split_to(1)[0] == 1;
        Some(Row { version, state: has_state.then_some(bytes) })
    }

    /// The answers given.
    pub fn sessions(&self) -> &SessionTable {
        &self.sessions
    }

    /// How many entities have a row.
    pub fn entities(&self) -> usize {
        self.rows.len()
    }

    /// Applies a log entry.
    pub fn apply_command(&mut self, bytes: &[u8]) -> Result<Applied, DecodeError> {
        let mut applied = Applied::default();
        match decode_command(bytes)? {
            Command::Batch(records) => {
                for (place, record) in (0..).zip(&records) {
                    if !self.apply_record(record) {
                        applied.rejected.push(place);
                    }
                }
            }
            Command::Expire(origin) => self.sessions.expire(origin),
        }
        Ok(applied)
    }

    /// Applies a record, unless its version is not the next one or its request is answered already. A refused record
    /// leaves no trace.
    fn apply_record(&mut self, record: &Record<'_>) -> bool {
        let key = row_key(record.entity_type, record.entity);
        let stored = self.rows.get(&key);
        let version = stored.as_ref().map_or(0, |row| version_of(row));
        if record.version != version + 1 || record.request.is_some_and(|id| !self.sessions.admits(id)) {
            return false;
        }
        let state = match (record.change, &stored) {
            (Some(state), _) => Some(state),
            (None, Some(row)) if row[VERSION_BYTES] == 1 => Some(&row[VERSION_BYTES + 1..]),
            (None, _) => None,
        };
        let mut row = Vec::with_capacity(VERSION_BYTES + 1 + state.map_or(0, <[u8]>::len));
        row.extend_from_slice(&record.version.to_le_bytes());
        row.push(u8::from(state.is_some()));
        row.extend_from_slice(state.unwrap_or_default());
        self.rows.put(&key, row.into());
        if let Some(id) = record.request {
            let reply = match record.reply {
                Reply::Value(bytes) => Recorded::Value(Bytes::copy_from_slice(bytes)),
                Reply::Failed => Recorded::Failed,
            };
            self.sessions.record(id, record.floor, reply);
        }
        true
    }
}

const VERSION_BYTES: usize = size_of::<u64>();

fn version_of(row: &[u8]) -> u64 {
    row.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The key of an entity's row.
pub fn row_key(entity_type: u32, entity: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(4 + entity.len());
    key.extend_from_slice(&entity_type.to_be_bytes());
    key.extend_from_slice(entity.as_bytes());
    key
}

/// A group's table, shared by the Raft engine, which changes it, and the region, which reads it.
#[derive(Clone)]
pub struct SharedState(Arc<Mutex<GroupState>>);

impl SharedState {
    /// Shares `state`.
    pub fn new(state: GroupState) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// The table. Hold it briefly, and never across an await.
    pub fn lock(&self) -> MutexGuard<'_, GroupState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine for SharedState {
    /// Returns the places of refused records: empty where all were applied.
    fn apply(&mut self, index: u64, command: &Bytes) -> Bytes {
        match self.lock().apply_command(command) {
            Ok(Applied { rejected }) => rejected.iter().flat_map(|place| place.to_le_bytes()).collect(),
            Err(error) => {
                // Every replica reads the same bytes, so all of them skip the same entry.
                tracing::error!(index, %error, "a log entry cannot be read and changes nothing");
                REFUSED_ENTRY.into()
            }
        }
    }

    fn snapshot(&self) -> Result<Bytes, BoxError> {
        snapshot::encode(&self.lock())
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), BoxError> {
        snapshot::restore(&mut self.lock(), bytes)
    }
}

/// The output of an entry that could not be read: not a multiple of four bytes, so no list of places.
const REFUSED_ENTRY: &[u8] = &[0xff];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{NodeKey, RequestId, SessionId};
    use crate::codec::encode_into;
    use crate::replication::{encode_batch_header, encode_expire};
    use crate::storage::MemoryState;

    fn state() -> GroupState {
        GroupState::new(Box::new(MemoryState::default()))
    }

    fn write(version: u64, sequence: u64, change: &'static [u8]) -> Record<'static> {
        let session = SessionId { origin: NodeKey(1), entity_type: 7, shard: 0 };
        Record {
            entity_type: 7,
            entity: "a",
            version,
            request: Some(RequestId { session, sequence }),
            floor: 0,
            change: Some(change),
            reply: Reply::Value(change),
        }
    }

    fn apply(state: &mut GroupState, records: &[Record<'_>]) -> Vec<u32> {
        let mut bytes = Vec::new();
        encode_batch_header(&mut bytes);
        for record in records {
            encode_into(record, &mut bytes).unwrap();
        }
        state.apply_command(&bytes).unwrap().rejected
    }

    #[test]
    fn versions_go_up_by_one_and_a_new_primary_goes_on_from_the_stored_one() {
        let mut state = state();
        assert_eq!(apply(&mut state, &[write(1, 0, b"x"), write(2, 1, b"y")]), []);
        assert_eq!(apply(&mut state, &[write(1, 2, b"z"), write(4, 3, b"z")]), [0, 1]);
        assert_eq!(state.row(7, "a"), Some(Row { version: 2, state: Some(Bytes::from_static(b"y")) }));
        assert_eq!(apply(&mut state, &[write(3, 4, b"w")]), []);
    }

    #[test]
    fn a_refused_record_leaves_no_session_entry() {
        let mut state = state();
        let refused = write(5, 0, b"x");
        assert_eq!(apply(&mut state, &[refused]), [0]);
        assert_eq!(state.sessions().recorded(refused.request.unwrap()), None);
        assert_eq!(state.entities(), 0);
    }

    #[test]
    fn a_request_is_applied_once_whatever_version_it_claims() {
        let mut state = state();
        assert_eq!(apply(&mut state, &[write(1, 0, b"x")]), []);
        assert_eq!(apply(&mut state, &[write(2, 0, b"again")]), [0]);
        assert_eq!(state.row(7, "a").unwrap().version, 1);
    }

    #[test]
    fn a_record_without_a_change_keeps_the_state() {
        let mut state = state();
        apply(&mut state, &[write(1, 0, b"x")]);
        apply(&mut state, &[Record { change: None, reply: Reply::Failed, ..write(2, 1, b"") }]);
        assert_eq!(state.row(7, "a"), Some(Row { version: 2, state: Some(Bytes::from_static(b"x")) }));
    }

    #[test]
    fn a_snapshot_holds_rows_answers_and_expiries() {
        let mut source = state();
        apply(&mut source, &[write(1, 0, b"x"), write(2, 1, b"y")]);
        source.apply_command(&encode_expire(NodeKey(2)).unwrap()).unwrap();
        let source = SharedState::new(source);
        let mut copy = SharedState::new(state());
        apply(&mut copy.lock(), &[Record { entity: "old", ..write(1, 9, b"x") }]);
        copy.restore(&source.snapshot().unwrap()).unwrap();
        assert_eq!(copy.snapshot().unwrap(), source.snapshot().unwrap());
        let copy = copy.lock();
        assert_eq!((copy.entities(), copy.row(7, "old")), (1, None));
        assert_eq!(copy.row(7, "a"), Some(Row { version: 2, state: Some(Bytes::from_static(b"y")) }));
        assert!(copy.sessions().recorded(write(1, 1, b"").request.unwrap()).is_some());
        assert!(copy.sessions().is_expired(NodeKey(2)));
    }

    #[test]
    fn a_broken_snapshot_is_an_error_and_changes_nothing() {
        let mut copy = SharedState::new(state());
        apply(&mut copy.lock(), &[write(1, 0, b"x")]);
        let mut bytes = copy.snapshot().unwrap().to_vec();
        bytes.truncate(bytes.len() - 1);
        assert!(copy.restore(&bytes).is_err());
        assert_eq!(copy.lock().entities(), 1);
    }
}
