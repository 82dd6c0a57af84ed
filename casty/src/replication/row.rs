//! What the table holds of one entity.
//!
//! State of which fields change stands in the entity's row. State to which events happen may be large beside each of them, so
//! it has a row of its own, a snapshot, and behind it one row for the events of each record since. The entity's row says how
//! many there are; a new snapshot takes the place of all of them.

use std::io;

use bytes::Bytes;

use crate::base::StableMap;
use crate::codec::fields::{ChangeBytes, Fields, StateBytes};
use crate::codec::{DecodeError, EncodeError};
use crate::storage::{Change, StateStore};

/// All that the table holds of one entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// How many records of the entity were applied.
    pub(crate) version: u64,
    /// Its [persistent fields](crate::codec::fields); `None` if no record changed them.
    pub(crate) state: Option<Bytes>,
    /// The [events](crate::codec::events) that happened to it since, those of one record together.
    pub(crate) events: Vec<Bytes>,
}

/// The entity's own row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u64,
    pub(super) state: Place,
}

/// Where the state is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// There is none.
    #[default]
    Nowhere,
    /// In the entity's row.
    Here(Bytes),
    /// In rows of its own: a snapshot, and so many of events.
    Beside { events: u64 },
}

/// Rows that are to be written together.
pub(super) struct Draft<'a> {
    rows: &'a dyn StateStore,
    heads: StableMap<Vec<u8>, Head>,
    /// Snapshots and events; `None`: the row goes away.
    beside: StableMap<Vec<u8>, Option<Vec<u8>>>,
}

/// A change cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeError {
    /// The state or the change is none.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The result is too long.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Some fields of nothing, or of what events happen to.
    #[error("some fields change, of an entity that has none in its row")]
    NoFields,
    /// Events without a state before them, or too many.
    #[error("events happen to an entity of which there is no snapshot")]
    NoSnapshot,
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] io::Error),
}

impl Row {
    /// Reads an entity with the key `key`; `None` if it has never changed.
    pub(super) fn read(rows: &dyn StateStore, key: &[u8]) -> io::Result<Option<Self>> {
        let Some(head) = rows.get(key)? else { return Ok(None) };
        let Head { version, state } = Head::decode(head);
        let beside = |key: Vec<u8>| {
            let missing = || io::Error::new(io::ErrorKind::InvalidData, "a snapshot, or events after it, are missing");
            rows.get(&key)?.ok_or_else(missing)
        };
        Ok(Some(match state {
            Place::Nowhere => Self { version, ..Self::default() },
            Place::Here(state) => Self { version, state: Some(state), events: Vec::new() },
            Place::Beside { events } => Self {
                version,
                state: Some(beside(snapshot_key(key))?),
                events: (0..events).map(|number| beside(events_key(key, number))).collect::<io::Result<_>>()?,
            },
        }))
    }
}

impl Row {
    /// Puts `change` to an entity that is kept in one piece. On an error nothing is different.
    pub(super) fn apply(&mut self, change: &[u8]) -> Result<(), MergeError> {
        match ChangeBytes::decode(change)? {
            ChangeBytes::Some(fields) => {
                let state = self.state.as_deref().filter(|_| self.events.is_empty()).ok_or(MergeError::NoFields)?;
                self.state = Some(merged(state, fields)?.into());
            }
            ChangeBytes::Whole(state) | ChangeBytes::Snapshot(state) => {
                self.state = Some(state.encode()?.into());
                self.events.clear();
            }
            ChangeBytes::Events(_) if self.state.is_none() => return Err(MergeError::NoSnapshot),
            ChangeBytes::Events(bytes) => self.events.push(Bytes::copy_from_slice(bytes)),
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    /// Nothing is to be written yet.
    pub(super) fn of(rows: &'a dyn StateStore) -> Self {
        Self { rows, heads: StableMap::default(), beside: StableMap::default() }
    }

    /// The row of the entity with this key, as it will be.
    pub(super) fn head(&self, key: &[u8]) -> io::Result<Head> {
        match self.heads.get(key) {
            Some(head) => Ok(head.clone()),
            None => Ok(self.rows.get(key)?.map(Head::decode).unwrap_or_default()),
        }
    }

    /// Puts `change` to the entity whose row will be `head` but for its state. On an error nothing is different.
    pub(super) fn apply(&mut self, key: Vec<u8>, mut head: Head, change: Option<&[u8]>) -> Result<(), MergeError> {
        match change.map(ChangeBytes::decode).transpose()? {
            None => {}
            Some(ChangeBytes::Some(fields)) => {
                let Place::Here(state) = &head.state else { return Err(MergeError::NoFields) };
                head.state = Place::Here(merged(state, fields)?.into());
            }
            Some(ChangeBytes::Whole(state)) => {
                let state = state.encode()?;
                self.clear_beside(&key, &head)?;
                head.state = Place::Here(state.into());
            }
            Some(ChangeBytes::Snapshot(state)) => {
                let state = state.encode()?;
                self.clear_beside(&key, &head)?;
                self.beside.insert(snapshot_key(&key), Some(state));
                head.state = Place::Beside { events: 0 };
            }
            Some(ChangeBytes::Events(bytes)) => {
                let Place::Beside { events } = head.state else { return Err(MergeError::NoSnapshot) };
                let more = events.checked_add(1).ok_or(MergeError::NoSnapshot)?;
                self.beside.insert(events_key(&key, events), Some(bytes.to_vec()));
                head.state = Place::Beside { events: more };
            }
        }
        self.heads.insert(key, head);
        Ok(())
    }

    /// The rows beside `head` go away. It stops at the first that is not there, so a number that is none does no harm.
    fn clear_beside(&mut self, key: &[u8], head: &Head) -> io::Result<()> {
        let Place::Beside { events } = head.state else { return Ok(()) };
        let keys = (0..events).map(|number| events_key(key, number));
        let mut gone = vec![snapshot_key(key)];
        for key in keys {
            let there = match self.beside.get(&key) {
                Some(value) => value.is_some(),
                None => self.rows.get(&key)?.is_some(),
            };
            if !there {
                break;
            }
            gone.push(key);
        }
        self.beside.extend(gone.into_iter().map(|key| (key, None)));
        Ok(())
    }

    /// Writes all of it.
    pub(super) fn write(self) -> io::Result<()> {
        let heads: Vec<_> = self.heads.into_iter().map(|(key, head)| (key, head.encode())).collect();
        let heads = heads.iter().map(|(key, head)| Change::Put(key, head));
        let beside = self.beside.iter().map(|(key, value)| match value {
            Some(value) => Change::Put(key, value),
            None => Change::Delete(key),
        });
        self.rows.write(&heads.chain(beside).collect::<Vec<_>>())
    }
}

/// What `state` is with these fields in place of its own. A pure function of the bytes, so that every replica gets the same.
fn merged(state: &[u8], fields: Fields<'_>) -> Result<Vec<u8>, MergeError> {
    let mut state = StateBytes::decode(state)?;
    state.fields.extend(fields);
    Ok(state.encode()?)
}

/// A row is stored as its version, where its state is, and the state, or the number of the rows of events.
const VERSION_BYTES: usize = size_of::<u64>();
const NOWHERE: u8 = 0;
const HERE: u8 = 1;
const BESIDE: u8 = 2;

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let number;
        let (place, rest): (u8, &[u8]) = match &self.state {
            Place::Nowhere => (NOWHERE, &[]),
            Place::Here(state) => (HERE, state),
            Place::Beside { events } => {
                number = events.to_le_bytes();
                (BESIDE, &number)
            }
        };
        let mut bytes = Vec::with_capacity(VERSION_BYTES + 1 + rest.len());
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.push(place);
        bytes.extend_from_slice(rest);
        bytes
    }

    fn decode(mut bytes: Bytes) -> Self {
        let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |number| u64::from_le_bytes(*number));
        let (version, place) = (number(&bytes), bytes.get(VERSION_BYTES).copied());
        let state = match place {
            Some(HERE) => Place::Here(bytes.split_off(VERSION_BYTES + 1)),
            Some(BESIDE) => Place::Beside { events: number(&bytes[VERSION_BYTES + 1..]) },
            _ => Place::Nowhere,
        };
        Self { version, state }
    }
}

/// The key of an entity's row.
pub(super) fn row_key(entity_type: u32, entity: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(4 + entity.len());
    key.extend_from_slice(&entity_type.to_be_bytes());
    key.extend_from_slice(entity.as_bytes());
    key
}

/// What one row says of an entity.
pub(crate) struct LookedInto<'a> {
    pub(crate) entity_type: u32,
    pub(crate) id: &'a str,
    /// How many records of it were applied, in its own row.
    pub(crate) version: Option<u64>,
    /// The bytes of the state, or of what stands for a part of it.
    pub(crate) bytes: usize,
}

/// Looks into a row; `None` if it is no row of an entity.
pub(crate) fn look_into<'a>(key: &'a [u8], row: &[u8]) -> Option<LookedInto<'a>> {
    let (entity_type, id) = key.split_first_chunk()?;
    let entity_type = u32::from_be_bytes(*entity_type);
    if let Some(end) = id.iter().position(|byte| *byte == BEYOND_TEXT) {
        let id = std::str::from_utf8(&id[..end]).ok()?;
        return Some(LookedInto { entity_type, id, version: None, bytes: row.len() });
    }
    let (id, Head { version, state }) = (std::str::from_utf8(id).ok()?, Head::decode(Bytes::copy_from_slice(row)));
    let bytes = if let Place::Here(state) = state { state.len() } else { 0 };
    Some(LookedInto { entity_type, id, version: Some(version), bytes })
}

/// What no id has in it, since it is text: keys of rows beside an entity's are those of no other entity.
const BEYOND_TEXT: u8 = 0xff;

/// The key of the snapshot of the entity whose row has the key `row`.
fn snapshot_key(row: &[u8]) -> Vec<u8> {
    [row, &[BEYOND_TEXT]].concat()
}

/// The key of the events of one record since the snapshot.
fn events_key(row: &[u8], number: u64) -> Vec<u8> {
    [row, &[BEYOND_TEXT], &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::events::add_event;
    use crate::storage::MemoryState;

    fn state(value: &'static [u8]) -> StateBytes<'static> {
        StateBytes { version: 1, fields: Fields::from([("field", value)]) }
    }

    fn event(number: u64) -> Vec<u8> {
        let mut events = Vec::new();
        add_event(&number, &mut events).unwrap();
        events
    }

    /// Applies the changes as one batch.
    fn apply(rows: &MemoryState, changes: &[&ChangeBytes<'_>]) -> Result<(), MergeError> {
        let mut draft = Draft::of(rows);
        for change in changes {
            let head = draft.head(b"key")?;
            draft.apply(b"key".to_vec(), head, Some(&change.encode().unwrap()))?;
        }
        Ok(draft.write()?)
    }

    fn read(rows: &MemoryState) -> (Bytes, Vec<Bytes>) {
        let row = Row::read(rows, b"key").unwrap().unwrap();
        (row.state.unwrap(), row.events)
    }

    /// How many rows there are of the entity.
    fn there(rows: &MemoryState) -> usize {
        let events = (0..9).map(|number| events_key(b"key", number));
        let all = events.chain([b"key".to_vec(), snapshot_key(b"key")]);
        all.filter(|key| rows.get(key).unwrap().is_some()).count()
    }

    fn bytes(state: &StateBytes<'_>) -> Bytes {
        state.encode().unwrap().into()
    }

    #[test]
    fn events_stand_behind_a_snapshot_until_the_next_takes_their_place() {
        let rows = MemoryState::new();
        let (first, second) = (ChangeBytes::Snapshot(state(b"first")), ChangeBytes::Snapshot(state(b"second")));
        let events: Vec<_> = (0..3).map(event).collect();
        let happened: Vec<_> = events.iter().map(|events| ChangeBytes::Events(events)).collect();
        apply(&rows, &[&first, &happened[0]]).unwrap();
        apply(&rows, &[&happened[1]]).unwrap();
        assert_eq!(read(&rows), (bytes(&state(b"first")), vec![events[0].clone().into(), events[1].clone().into()]));
        assert_eq!(there(&rows), 4, "the row, the snapshot, and two of events");
        apply(&rows, &[&happened[2], &second, &happened[1]]).unwrap();
        assert_eq!(read(&rows), (bytes(&state(b"second")), vec![events[1].clone().into()]));
        assert_eq!(there(&rows), 3);
        apply(&rows, &[&ChangeBytes::Whole(state(b"third"))]).unwrap();
        assert_eq!(read(&rows), (bytes(&state(b"third")), Vec::new()));
        assert_eq!(there(&rows), 1, "nothing is left beside the row");
    }

    #[test]
    fn an_entity_in_one_piece_is_what_it_is_in_rows() {
        let (rows, mut whole, events) = (MemoryState::new(), Row::default(), event(1));
        let changes = [
            ChangeBytes::Whole(state(b"first")),
            ChangeBytes::Some(state(b"second").fields),
            ChangeBytes::Snapshot(state(b"third")),
            ChangeBytes::Events(&events),
            ChangeBytes::Events(&events),
        ];
        assert!(matches!(whole.apply(&changes[1].encode().unwrap()), Err(MergeError::NoFields)));
        assert!(matches!(whole.apply(&changes[3].encode().unwrap()), Err(MergeError::NoSnapshot)));
        for change in &changes {
            apply(&rows, &[change]).unwrap();
            whole.apply(&change.encode().unwrap()).unwrap();
            assert_eq!(Row::read(&rows, b"key").unwrap(), Some(whole.clone()));
        }
        assert!(matches!(whole.apply(&changes[1].encode().unwrap()), Err(MergeError::NoFields)));
        assert_eq!(whole.events.len(), 2);
    }

    #[test]
    fn events_cost_the_table_what_they_are_beside_a_megabyte() {
        let (rows, large) = (MemoryState::new(), vec![7; 1 << 20]);
        let snapshot = StateBytes { version: 1, fields: Fields::from([("field", &*large)]) };
        apply(&rows, &[&ChangeBytes::Snapshot(snapshot)]).unwrap();
        let mut draft = Draft::of(&rows);
        let (head, change) = (draft.head(b"key").unwrap(), ChangeBytes::Events(&event(1)).encode().unwrap());
        draft.apply(b"key".to_vec(), head, Some(&change)).unwrap();
        let heads: usize = draft.heads.iter().map(|(key, head)| key.len() + head.encode().len()).sum();
        let beside: usize = draft.beside.iter().map(|(key, row)| key.len() + row.as_ref().map_or(0, Vec::len)).sum();
        assert!(heads + beside < 50, "{heads} and {beside} bytes");
    }

    #[test]
    fn what_is_no_change_of_this_state_is_refused_and_leaves_nothing() {
        let (rows, one) = (MemoryState::new(), event(1));
        let some = ChangeBytes::Some(state(b"x").fields);
        assert!(matches!(apply(&rows, &[&ChangeBytes::Events(&one)]), Err(MergeError::NoSnapshot)));
        assert!(matches!(apply(&rows, &[&some]), Err(MergeError::NoFields)));
        apply(&rows, &[&ChangeBytes::Whole(state(b"x"))]).unwrap();
        assert!(matches!(apply(&rows, &[&ChangeBytes::Events(&one)]), Err(MergeError::NoSnapshot)));
        apply(&rows, &[&ChangeBytes::Snapshot(state(b"x"))]).unwrap();
        assert!(matches!(apply(&rows, &[&some]), Err(MergeError::NoFields)));
        assert_eq!(there(&rows), 2);
    }

    #[test]
    fn a_row_that_counts_events_that_are_not_there_cannot_be_read_and_can_be_written() {
        let rows = MemoryState::new();
        let head = Head { version: 1, state: Place::Beside { events: u64::MAX } };
        rows.write(&[Change::Put(b"key", &head.encode())]).unwrap();
        assert_eq!(Row::read(&rows, b"key").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(matches!(apply(&rows, &[&ChangeBytes::Events(&event(1))]), Err(MergeError::NoSnapshot)));
        apply(&rows, &[&ChangeBytes::Snapshot(state(b"x"))]).unwrap();
        assert_eq!(read(&rows), (bytes(&state(b"x")), Vec::new()));
    }

    #[test]
    fn rows_beside_an_entity_are_those_of_no_other() {
        let keys = ["a", "a\u{ff}", "", "b"].map(|id| row_key(7, id));
        let all = keys.iter().flat_map(|key| [key.clone(), snapshot_key(key), events_key(key, 0), events_key(key, 1)]);
        assert_eq!(all.collect::<std::collections::BTreeSet<_>>().len(), 16);
    }
}
