//! The table of a data group: rows of entities, and the answers given.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::record::{Command, Record, Reply, decode_command};
use super::row::{Draft, Head, MergeError, Row, row_key};
use super::{Recorded, SessionTable, snapshot};
use crate::base::{BoxError, RequestId, StableMap};
use crate::raft::{Machine, MachineSnapshot};
#[cfg(any(test, feature = "sim"))]
use crate::storage::RowBatch;
use crate::storage::{StagedRows, StateStore};

/// The replicated state of one data group.
pub(crate) struct GroupState {
    pub(super) rows: Box<dyn StateStore>,
    pub(super) sessions: SessionTable,
    /// The index of the last command that was applied.
    pub(super) applied: u64,
}

/// What applying a log entry did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The places within the batch of the records that were refused. Normally none.
    pub(crate) rejected: Vec<u32>,
}

impl GroupState {
    /// An empty table over `rows`.
    pub(crate) fn new(rows: Box<dyn StateStore>) -> Self {
        Self { rows, sessions: SessionTable::default(), applied: 0 }
    }

    /// The row of an entity; `None` if it has never changed.
    pub(crate) fn row(&self, entity_type: u32, entity: &str) -> io::Result<Option<Row>> {
        Row::read(&*self.rows, &row_key(entity_type, entity))
    }

    /// The index of the last command that was applied; 0 before the first.
    #[cfg(feature = "sim")]
    pub(crate) fn applied(&self) -> u64 {
        self.applied
    }

    /// All of it as bytes, but for the rows, and these: for who compares tables.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn whole(&self) -> Result<(Bytes, RowBatch), BoxError> {
        Ok((snapshot::encode_head(self)?, self.rows.all_rows()?))
    }

    /// The answers given.
    pub(crate) fn sessions(&self) -> &SessionTable {
        &self.sessions
    }

    /// Applies a log entry, whole or not at all.
    fn apply_command(&mut self, command: &Command<'_>) -> io::Result<Applied> {
        match command {
            Command::Batch(records) => self.apply_batch(records),
            Command::Expire(origin) => {
                self.sessions.expire(*origin);
                Ok(Applied::default())
            }
        }
    }

    /// Applies the records whose version is the next one of their entity, whose request is not answered, and whose change
    /// can be made. A refused record leaves no trace.
    fn apply_batch(&mut self, records: &[Record<'_>]) -> io::Result<Applied> {
        let mut applied = Applied::default();
        let mut draft = Draft::of(&*self.rows);
        let mut answers = StableMap::default();
        for (place, record) in (0..).zip(records) {
            let key = row_key(record.entity_type, record.entity);
            let head = draft.head(&key)?;
            let fresh = |id: RequestId| self.sessions.admits(id) && !answers.contains_key(&id);
            if Some(record.version) != head.version.checked_add(1) || !record.request.is_none_or(fresh) {
                applied.rejected.push(place);
                continue;
            }
            match draft.apply(key, Head { version: record.version, ..head }, record.change) {
                Ok(()) => {}
                Err(MergeError::Rows(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(entity = record.entity, version = record.version, %error, "a change is none");
                    applied.rejected.push(place);
                    continue;
                }
            }
            if let Some(id) = record.request {
                answers.insert(id, (record.floor, Recorded::from(record.reply)));
            }
        }
        draft.write()?;
        for (id, (floor, reply)) in answers {
            self.sessions.record(id, floor, reply);
        }
        Ok(applied)
    }
}

impl From<Reply<'_>> for Recorded {
    fn from(reply: Reply<'_>) -> Self {
        match reply {
            Reply::Value(bytes) => Self::Value(Bytes::copy_from_slice(bytes)),
            Reply::Failed => Self::Failed,
        }
    }
}

/// A group's table, shared by the Raft engine, which changes it, and the region, which reads it.
#[derive(Clone)]
pub(crate) struct SharedState(Arc<Mutex<GroupState>>);

impl SharedState {
    /// Shares `state`.
    pub(crate) fn new(state: GroupState) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// The table. Hold it briefly, and never across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, GroupState> {
        self.0.lock()
    }
}

impl Machine for SharedState {
    /// Returns the places of refused records: empty where all were applied.
    ///
    /// Every replica reads the same bytes, so an entry that cannot be read is skipped by all of them alike.
    fn apply(&mut self, index: u64, command: &Bytes) -> Result<Bytes, BoxError> {
        self.lock().applied = index;
        let applied = match decode_command(command) {
            Ok(command) => self.lock().apply_command(&command)?,
            Err(error) => {
                tracing::error!(index, %error, "a log entry cannot be read and changes nothing");
                return Ok(UNREADABLE.into());
            }
        };
        Ok(applied.rejected.iter().flat_map(|place| place.to_le_bytes()).collect())
    }

    fn snapshot(&self) -> Result<MachineSnapshot, BoxError> {
        let state = self.lock();
        Ok(MachineSnapshot { head: snapshot::encode_head(&state)?, rows: Some(state.rows.freeze()?) })
    }

    fn stage(&self) -> Result<Option<Box<dyn StagedRows>>, BoxError> {
        Ok(Some(self.lock().rows.stage()?))
    }

    fn restore(&mut self, head: &[u8], rows: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
        snapshot::restore(&mut self.lock(), head, rows)
    }

    fn unsaved_bytes(&self) -> u64 {
        self.lock().rows.unsaved_bytes()
    }
}

/// The output of an entry that could not be read. It refuses all that the entry held.
const UNREADABLE: &[u8] = b"unreadable";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{NodeKey, SessionId};
    use crate::codec::encode_into;
    use crate::codec::fields::{ChangeBytes, Fields, StateBytes};
    use crate::replication::encode_batch_header;
    use crate::storage::{Change, MemoryState};

    fn state() -> GroupState {
        GroupState::new(Box::new(MemoryState::default()))
    }

    /// A change to one field.
    fn change(value: &[u8]) -> Vec<u8> {
        ChangeBytes::Whole(StateBytes { version: 1, fields: Fields::from([("field", value)]) }).encode().unwrap()
    }

    /// The state after it.
    fn stored(value: &[u8]) -> Option<Bytes> {
        let fields = Fields::from([("field", value)]);
        Some(StateBytes { version: 1, fields }.encode().unwrap().into())
    }

    fn write(version: u64, sequence: u64, value: &'static [u8]) -> Record<'static> {
        let session = SessionId { origin: NodeKey(1), entity_type: 7, shard: 0 };
        Record {
            entity_type: 7,
            entity: "a",
            version,
            request: Some(RequestId { session, sequence }),
            floor: 0,
            change: Some(change(value).leak()),
            reply: Reply::Value(value),
        }
    }

    fn apply(state: &mut GroupState, records: &[Record<'_>]) -> Vec<u32> {
        let mut bytes = Vec::new();
        encode_batch_header(&mut bytes);
        for record in records {
            encode_into(record, &mut bytes).unwrap();
        }
        state.apply_command(&decode_command(&bytes).unwrap()).unwrap().rejected
    }

    #[test]
    fn versions_go_up_by_one_and_a_new_primary_goes_on_from_the_stored_one() {
        let mut state = state();
        assert_eq!(apply(&mut state, &[write(1, 0, b"x"), write(2, 1, b"y")]), []);
        assert_eq!(apply(&mut state, &[write(1, 2, b"z"), write(4, 3, b"z")]), [0, 1]);
        assert_eq!(state.row(7, "a").unwrap(), Some(Row { version: 2, state: stored(b"y"), events: Vec::new() }));
        assert_eq!(apply(&mut state, &[write(3, 4, b"w")]), []);
    }

    #[test]
    fn a_row_of_the_last_version_there_is_takes_no_more() {
        let mut state = state();
        let last = Head { version: u64::MAX, ..Head::default() }.encode();
        state.rows.write(&[Change::Put(&row_key(7, "a"), &last)]).unwrap();
        assert_eq!(apply(&mut state, &[write(0, 0, b"x"), write(u64::MAX, 1, b"y")]), [0, 1]);
    }

    #[test]
    fn a_refused_record_leaves_no_session_entry() {
        let mut state = state();
        let refused = write(5, 0, b"x");
        assert_eq!(apply(&mut state, &[refused]), [0]);
        assert_eq!(state.sessions().recorded(refused.request.unwrap()), None);
        assert_eq!(state.row(7, "a").unwrap(), None);
    }

    #[test]
    fn a_request_is_applied_once_whatever_version_it_claims() {
        let mut state = state();
        assert_eq!(apply(&mut state, &[write(1, 0, b"x")]), []);
        assert_eq!(apply(&mut state, &[write(2, 0, b"again")]), [0]);
        assert_eq!(state.row(7, "a").unwrap().unwrap().version, 1);
    }

    #[test]
    fn a_change_that_cannot_be_made_is_refused_and_its_request_stays_open() {
        let mut state = state();
        let rubbish = Record { change: Some(b"rubbish"), ..write(1, 0, b"x") };
        assert_eq!(apply(&mut state, &[rubbish, write(1, 1, b"x")]), [0]);
        assert_eq!(state.sessions().recorded(rubbish.request.unwrap()), None);
        let some = ChangeBytes::Some(Fields::from([("other", &b"y"[..])])).encode().unwrap();
        assert_eq!(apply(&mut state, &[Record { change: Some(&some), ..write(2, 2, b"") }]), []);
        let fields = Fields::from([("field", &b"x"[..]), ("other", &b"y"[..])]);
        let both = StateBytes { version: 1, fields }.encode().unwrap();
        assert_eq!(state.row(7, "a").unwrap(), Some(Row { version: 2, state: Some(both.into()), events: Vec::new() }));
    }

    #[test]
    fn a_record_without_a_change_keeps_the_state() {
        let mut state = state();
        apply(&mut state, &[write(1, 0, b"x")]);
        apply(&mut state, &[Record { change: None, reply: Reply::Failed, ..write(2, 1, b"") }]);
        assert_eq!(state.row(7, "a").unwrap(), Some(Row { version: 2, state: stored(b"x"), events: Vec::new() }));
    }

    #[test]
    fn a_snapshot_holds_rows_answers_and_expiries() {
        let mut source = state();
        apply(&mut source, &[write(1, 0, b"x"), write(2, 1, b"y")]);
        source.apply_command(&Command::Expire(NodeKey(2))).unwrap();
        let source = SharedState::new(source);
        let mut copy = SharedState::new(state());
        apply(&mut copy.lock(), &[Record { entity: "old", ..write(1, 9, b"x") }]);
        let (head, rows) = source.lock().whole().unwrap();
        copy.restore(&head, Some(staged(&copy, &rows))).unwrap();
        assert_eq!(copy.lock().whole().unwrap(), (head, rows));
        let copy = copy.lock();
        assert_eq!(copy.row(7, "old").unwrap(), None);
        assert_eq!(copy.row(7, "a").unwrap(), Some(Row { version: 2, state: stored(b"y"), events: Vec::new() }));
        assert!(copy.sessions().recorded(write(1, 1, b"").request.unwrap()).is_some());
        assert!(copy.sessions().is_expired(NodeKey(2)));
    }

    #[test]
    fn a_broken_snapshot_is_an_error_and_changes_nothing() {
        let mut copy = SharedState::new(state());
        apply(&mut copy.lock(), &[write(1, 0, b"x")]);
        let (head, rows) = copy.lock().whole().unwrap();
        let empty = staged(&copy, &RowBatch::default());
        assert!(copy.restore(&head[..head.len() - 1], Some(empty)).is_err());
        assert_eq!(copy.lock().whole().unwrap(), (head, rows));
    }

    fn staged(state: &SharedState, rows: &RowBatch) -> Box<dyn StagedRows> {
        let mut staged = state.stage().unwrap().unwrap();
        staged.put(rows.clone(), Box::new(|_| {})).unwrap();
        staged
    }
}
