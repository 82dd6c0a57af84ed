//! How the file is laid out.

use std::collections::BTreeSet;
use std::ops::{RangeBounds, RangeInclusive};

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, StorageError, Table, TableDefinition, WriteTransaction};

use super::Identity;
use super::checksum::Place;
use super::moments::Moments;
use super::rows::{self, Generation, ROWS, RowsTable};
use super::state::UnsavedRows;
use super::work::{Checkpoint, Work};
use crate::base::{GroupId, NodeId};
use crate::storage::{LogEntry, LogPosition, Payload, StoredSnapshot, Vote};

/// The layout below: each value begins with its [checksum](Place). A release that changes it gives it another number.
pub(super) const FORMAT: u32 = 3;

/// The term, the kind and the payload of each entry, by group and index.
pub(super) const ENTRIES: TableDefinition<'_, (u16, u64), EntryValue> = TableDefinition::new("entries");
/// The term and the index of the last purged entry, by group.
pub(super) const PURGED: TableDefinition<'_, u16, PositionValue> = TableDefinition::new("purged");
/// Term, node and whether a quorum gave it, by group.
pub(super) const VOTES: TableDefinition<'_, u16, (u64, u64, u64, u8)> = TableDefinition::new("votes");
/// The term and the index of the last entry of a log that was forgotten, by group.
pub(super) const FORGOTTEN: TableDefinition<'_, u16, PositionValue> = TableDefinition::new("forgotten");
/// The term and the index of the last entry in a snapshot, the generation of its rows, the bytes of its head, and its
/// meta, by group.
pub(super) const SNAPSHOTS: TableDefinition<'_, u16, SnapshotValue> = TableDefinition::new("snapshots");
/// The head of a snapshot in parts, by group and number.
pub(super) const PARTS: TableDefinition<'_, (u16, u32), (u64, &[u8])> = TableDefinition::new("snapshot_parts");
/// What concerns the node itself. The format has no checksum, so that every release can read it.
pub(super) const NODE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("node");

pub(super) type PositionValue = (u64, u64, u64);
pub(super) type EntryValue = (u64, u64, u8, &'static [u8]);
pub(super) type SnapshotValue = (u64, u64, u64, u32, u64, &'static [u8]);

const KEY_FORMAT: &str = "format";
const KEY_NODE: &str = "node";
const KEY_CLUSTER: &str = "cluster";
const KEY_RECORD: &str = "record";

/// The bytes of a part. The library stores a value in one run of pages, which is a power of two: this leaves room for
/// what it adds.
const PART_BYTES: usize = (1 << 20) - 4_096;

const BLANK: u8 = 0;
const COMMAND: u8 = 1;
const MEMBERSHIP: u8 = 2;

/// The log of a group as the file has it.
#[derive(Debug, Default)]
pub(crate) struct StoredLog {
    pub(crate) purged: Option<LogPosition>,
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) vote: Option<Vote>,
    /// Where one ended that was forgotten.
    pub(crate) forgotten: Option<LogPosition>,
}

/// Who the file belongs to.
pub(super) enum Owner {
    /// It is new.
    Nobody,
    Node(Identity),
    /// It has another format.
    Unknown(u32),
}

/// Makes all tables, so that they can be read.
pub(super) fn lay_out(write: &WriteTransaction, identity: &Identity) -> Result<(), redb::Error> {
    write.open_table(ENTRIES)?;
    write.open_table(PURGED)?;
    write.open_table(VOTES)?;
    write.open_table(FORGOTTEN)?;
    write.open_table(SNAPSHOTS)?;
    write.open_table(PARTS)?;
    write.open_table(ROWS)?;
    let mut node = write.open_table(NODE)?;
    node.insert(KEY_FORMAT, FORMAT.to_le_bytes().as_slice())?;
    for (key, name) in [(KEY_NODE, identity.node.as_str()), (KEY_CLUSTER, &identity.cluster)] {
        node.insert(key, &*Place::Node(key).seal(name.as_bytes()))?;
    }
    Ok(())
}

pub(super) fn read_owner(read: &ReadTransaction) -> Result<Owner, redb::Error> {
    let node = match read.open_table(NODE) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Owner::Nobody),
        Err(why) => return Err(why.into()),
    };
    let bytes = |key: &str| -> Result<Vec<u8>, redb::Error> {
        let missing = || StorageError::Corrupted(format!("it does not say its {key}"));
        Ok(node.get(key)?.ok_or_else(missing)?.value().to_vec())
    };
    let text = |key: &str| -> Result<String, redb::Error> {
        let strange = |_| StorageError::Corrupted(format!("its {key} is no text"));
        Ok(String::from_utf8(Place::Node(key).open(&bytes(key)?)?.to_vec()).map_err(strange)?)
    };
    let format = bytes(KEY_FORMAT)?.try_into().map(u32::from_le_bytes);
    match format.map_err(|_| StorageError::Corrupted("its format is no number".to_owned()))? {
        FORMAT => {
            Ok(Owner::Node(Identity { node: NodeId::from(text(KEY_NODE)?.as_str()), cluster: text(KEY_CLUSTER)? }))
        }
        format => Ok(Owner::Unknown(format)),
    }
}

pub(super) fn read_record(read: &ReadTransaction) -> Result<Option<Bytes>, redb::Error> {
    let Some(record) = read.open_table(NODE)?.get(KEY_RECORD)? else { return Ok(None) };
    Ok(Some(Bytes::copy_from_slice(Place::Node(KEY_RECORD).open(record.value())?)))
}

/// The groups that have a log.
pub(super) fn read_groups(read: &ReadTransaction) -> Result<Vec<GroupId>, redb::Error> {
    let mut groups = BTreeSet::new();
    for row in read.open_table(PURGED)?.iter()? {
        groups.insert(GroupId(row?.0.value()));
    }
    let (entries, mut from) = (read.open_table(ENTRIES)?, (0, 0));
    while let Some(row) = entries.range(from..)?.next() {
        let (group, _) = row?.0.value();
        groups.insert(GroupId(group));
        let Some(next) = group.checked_add(1) else { break };
        from = (next, 0);
    }
    Ok(groups.into_iter().collect())
}

pub(super) fn read_log(read: &ReadTransaction, group: GroupId) -> Result<StoredLog, redb::Error> {
    let vote = match read.open_table(VOTES)?.get(group.0)? {
        None => None,
        Some(row) => {
            let (checksum, term, node, committed) = row.value();
            Place::Vote(group.0).check(checksum, &[term, node, committed.into()], &[])?;
            Some(Vote { term, node, committed: committed != 0 })
        }
    };
    let purged = read.open_table(PURGED)?.get(group.0)?.map(|row| row.value());
    let purged = purged.map(|row| position(Place::Purged(group.0), row)).transpose()?;
    let forgotten = forgotten(read)?.map(|table| table.get(group.0)).transpose()?.flatten().map(|row| row.value());
    let forgotten = forgotten.map(|row| position(Place::Forgotten(group.0), row)).transpose()?;
    let first = purged.map_or(0, |purged| purged.index + 1);
    let mut entries = Vec::new();
    for (next, row) in (first..).zip(read.open_table(ENTRIES)?.range((group.0, 0)..=(group.0, u64::MAX))?) {
        let (key, value) = row?;
        let ((_, index), (checksum, term, kind, payload)) = (key.value(), value.value());
        if index != next {
            return Err(StorageError::Corrupted(format!("group {group} lacks entry {next} of its log")).into());
        }
        Place::Entry(group.0, index).check(checksum, &[term, kind.into()], payload)?;
        entries.push(LogEntry { at: LogPosition { term, index }, payload: payload_of(kind, payload)? });
    }
    Ok(StoredLog { purged, entries, vote, forgotten })
}

/// The table of forgotten logs. Files of earlier releases have none before they are written to.
pub(super) fn forgotten(read: &ReadTransaction) -> Result<Option<ReadOnlyTable<u16, PositionValue>>, redb::Error> {
    match read.open_table(FORGOTTEN) {
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        table => Ok(Some(table?)),
    }
}

fn position(place: Place<'_>, (checksum, term, index): PositionValue) -> Result<LogPosition, StorageError> {
    place.check(checksum, &[term, index], &[])?;
    Ok(LogPosition { term, index })
}

/// The snapshot of a group, and the generation of its rows.
pub(super) fn read_snapshot(
    read: &ReadTransaction,
    group: GroupId,
) -> Result<Option<(StoredSnapshot, Generation)>, redb::Error> {
    let Some(row) = read.open_table(SNAPSHOTS)?.get(group.0)? else { return Ok(None) };
    let SnapshotPlace { through, generation } = place_of(group, row.value())?;
    let (.., head_bytes, meta) = row.value();
    let mut head = Vec::new();
    for part in read.open_table(PARTS)?.range((group.0, 0)..=(group.0, u32::MAX))? {
        let (key, part) = part?;
        let ((_, number), (checksum, bytes)) = (key.value(), part.value());
        Place::Part(group.0, number).check(checksum, &[], bytes)?;
        head.extend_from_slice(bytes);
    }
    if head.len() as u64 != head_bytes {
        return Err(StorageError::Corrupted(format!("a part of the snapshot of group {group} is missing")).into());
    }
    let snapshot = StoredSnapshot { through, meta: Bytes::copy_from_slice(meta), head: head.into() };
    Ok(Some((snapshot, generation)))
}

/// Where a snapshot is: in the log, and in the file.
#[derive(Clone, Copy)]
pub(super) struct SnapshotPlace {
    pub(super) through: LogPosition,
    pub(super) generation: Generation,
}

/// Where the snapshot of a group is.
pub(super) fn snapshot_place(read: &ReadTransaction, group: GroupId) -> Result<Option<SnapshotPlace>, redb::Error> {
    let row = read.open_table(SNAPSHOTS)?.get(group.0)?;
    Ok(row.map(|row| place_of(group, row.value())).transpose()?)
}

fn place_of(
    group: GroupId,
    (checksum, term, index, number, head_bytes, meta): (u64, u64, u64, u32, u64, &[u8]),
) -> Result<SnapshotPlace, StorageError> {
    Place::Snapshot(group.0).check(checksum, &[term, index, number.into(), head_bytes], meta)?;
    Ok(SnapshotPlace { through: LogPosition { term, index }, generation: Generation { group, number } })
}

/// The generations that are no group's: they are being filled, or removed, or were when the file was closed.
pub(super) fn stale(read: &ReadTransaction, groups: RangeInclusive<GroupId>) -> Result<Vec<Generation>, redb::Error> {
    let mut stale = Vec::new();
    for generation in rows::generations(&read.open_table(ROWS)?, groups)? {
        let place = snapshot_place(read, generation.group)?;
        if place.is_none_or(|place| place.generation != generation) {
            stale.push(generation);
        }
    }
    Ok(stale)
}

/// The highest number of a generation.
pub(super) fn newest_generation(read: &ReadTransaction) -> Result<u32, redb::Error> {
    let filled = rows::generations(&read.open_table(ROWS)?, rows::ALL)?.into_iter().map(|filled| filled.number);
    let mut newest = filled.max().unwrap_or_default();
    for row in read.open_table(SNAPSHOTS)?.iter()? {
        newest = newest.max(row?.1.value().3);
    }
    Ok(newest)
}

/// The tables of one transaction.
pub(super) struct Tables<'a> {
    entries: Table<'a, (u16, u64), EntryValue>,
    purged: Table<'a, u16, PositionValue>,
    votes: Table<'a, u16, (u64, u64, u64, u8)>,
    forgotten: Table<'a, u16, PositionValue>,
    snapshots: Table<'a, u16, SnapshotValue>,
    parts: Table<'a, (u16, u32), (u64, &'static [u8])>,
    rows: RowsTable<'a>,
    node: Table<'a, &'static str, &'static [u8]>,
    moments: &'a Moments,
}

impl<'a> Tables<'a> {
    pub(super) fn open(write: &'a WriteTransaction, moments: &'a Moments) -> Result<Self, redb::TableError> {
        Ok(Self {
            entries: write.open_table(ENTRIES)?,
            purged: write.open_table(PURGED)?,
            votes: write.open_table(VOTES)?,
            forgotten: write.open_table(FORGOTTEN)?,
            snapshots: write.open_table(SNAPSHOTS)?,
            parts: write.open_table(PARTS)?,
            rows: write.open_table(ROWS)?,
            node: write.open_table(NODE)?,
            moments,
        })
    }

    /// Carries out some work. What is left of it to do later is returned.
    pub(super) fn carry_out(&mut self, work: &Work) -> Result<Vec<Work>, StorageError> {
        match work {
            Work::Append(group, entries) => {
                for LogEntry { at: LogPosition { term, index }, payload } in entries {
                    let (kind, payload) = kind_of(payload);
                    let checksum = Place::Entry(group.0, *index).checksum(&[*term, kind.into()], payload);
                    self.entries.insert((group.0, *index), (checksum, *term, kind, payload))?;
                }
            }
            Work::Truncate(group, last) => {
                let first = last.map_or(0, |last| last + 1);
                self.remove_entries((group.0, first)..=(group.0, u64::MAX))?;
            }
            Work::Purge(group, through) => {
                self.remove_entries((group.0, 0)..=(group.0, through.index))?;
                let LogPosition { term, index } = *through;
                let checksum = Place::Purged(group.0).checksum(&[term, index], &[]);
                self.purged.insert(group.0, (checksum, term, index))?;
            }
            Work::Vote(group, vote) => {
                let Vote { term, node, committed } = *vote;
                let checksum = Place::Vote(group.0).checksum(&[term, node, committed.into()], &[]);
                self.votes.insert(group.0, (checksum, term, node, committed.into()))?;
            }
            Work::Forget(group) => {
                self.keep_end(*group)?;
                self.remove_entries((group.0, 0)..=(group.0, u64::MAX))?;
                self.purged.remove(group.0)?;
                self.remove_snapshot(*group)?;
                return self.sweep(*group..=*group);
            }
            Work::Clear => {
                self.remove_entries(..)?;
                self.parts.retain(|_, _| false)?;
                self.purged.retain(|_, _| false)?;
                self.votes.retain(|_, _| false)?;
                self.forgotten.retain(|_, _| false)?;
                self.snapshots.retain(|_, _| false)?;
                self.node.remove(KEY_RECORD)?;
                return self.sweep(rows::ALL);
            }
            Work::Record(record) => {
                self.node.insert(KEY_RECORD, &*Place::Node(KEY_RECORD).seal(record))?;
            }
            Work::Checkpoint(checkpoint) => return self.replace_snapshot(checkpoint),
            Work::Stage(generation, batch) => {
                for (key, value) in batch.iter() {
                    rows::put(&mut self.rows, *generation, key, value)?;
                }
            }
            Work::Sweep(generation) if !self.moments.may_remove(*generation) => {}
            Work::Sweep(generation) => {
                let more = rows::sweep(&mut self.rows, *generation)?;
                return Ok(more.then_some(Work::Sweep(*generation)).into_iter().collect());
            }
            Work::Barrier => {}
        }
        Ok(Vec::new())
    }

    /// Keeps where the log of a group ends that is about to be removed.
    fn keep_end(&mut self, group: GroupId) -> Result<(), StorageError> {
        let mut ends = Vec::new();
        if let Some((key, value)) = self.entries.range((group.0, 0)..=(group.0, u64::MAX))?.next_back().transpose()? {
            let ((_, index), (checksum, term, kind, payload)) = (key.value(), value.value());
            Place::Entry(group.0, index).check(checksum, &[term, kind.into()], payload)?;
            ends.push(LogPosition { term, index });
        }
        if let Some(row) = self.purged.get(group.0)? {
            ends.push(position(Place::Purged(group.0), row.value())?);
        }
        // One that was forgotten before may have been longer.
        if let Some(row) = self.forgotten.get(group.0)? {
            ends.push(position(Place::Forgotten(group.0), row.value())?);
        }
        let Some(LogPosition { term, index }) = ends.into_iter().max() else { return Ok(()) };
        let checksum = Place::Forgotten(group.0).checksum(&[term, index], &[]);
        self.forgotten.insert(group.0, (checksum, term, index))?;
        Ok(())
    }

    fn remove_entries(&mut self, range: impl RangeBounds<(u16, u64)>) -> Result<(), StorageError> {
        self.entries.retain_in(range, |_, _| false)
    }

    /// Removes the rows of generations, later.
    fn sweep(&self, groups: RangeInclusive<GroupId>) -> Result<Vec<Work>, StorageError> {
        Ok(rows::generations(&self.rows, groups)?.into_iter().map(Work::Sweep).collect())
    }

    fn remove_snapshot(&mut self, group: GroupId) -> Result<Option<Generation>, StorageError> {
        self.parts.retain_in((group.0, 0)..=(group.0, u32::MAX), |_, _| false)?;
        let before = self.snapshots.remove(group.0)?;
        before.map(|before| Ok(place_of(group, before.value())?.generation)).transpose()
    }

    /// The rows of an earlier generation are left to be removed.
    fn replace_snapshot(&mut self, checkpoint: &Checkpoint) -> Result<Vec<Work>, StorageError> {
        let Checkpoint { group, snapshot, rows } = checkpoint;
        let before = self.remove_snapshot(*group)?;
        for (number, part) in (0..).zip(snapshot.head.chunks(PART_BYTES)) {
            let checksum = Place::Part(group.0, number).checksum(&[], part);
            self.parts.insert((group.0, number), (checksum, part))?;
        }
        let number = rows.as_ref().map_or(0, |rows| rows.generation.number);
        if let Some(rows) = rows {
            self.change_rows(rows)?;
        }
        let (LogPosition { term, index }, head_bytes) = (snapshot.through, snapshot.head.len() as u64);
        let numbers = [term, index, number.into(), head_bytes];
        let checksum = Place::Snapshot(group.0).checksum(&numbers, &snapshot.meta);
        self.snapshots.insert(group.0, (checksum, term, index, number, head_bytes, &*snapshot.meta))?;
        Ok(before.into_iter().filter(|before| before.number != number).map(Work::Sweep).collect())
    }

    fn change_rows(&mut self, rows: &UnsavedRows) -> Result<(), StorageError> {
        let is_read = self.moments.is_read(rows.generation);
        for layer in &rows.layers {
            // In the order of the file, so that a page is written to once.
            let mut changes: Vec<_> = layer.iter().collect();
            changes.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in changes {
                if is_read {
                    self.moments.keep(&mut self.rows, rows.generation, key)?;
                }
                match value {
                    Some(value) => rows::put(&mut self.rows, rows.generation, key, value)?,
                    None => rows::delete(&mut self.rows, rows.generation, key)?,
                }
            }
        }
        Ok(())
    }
}

fn kind_of(payload: &Payload) -> (u8, &[u8]) {
    match payload {
        Payload::Blank => (BLANK, &[]),
        Payload::Command(bytes) => (COMMAND, bytes),
        Payload::Membership(bytes) => (MEMBERSHIP, bytes),
    }
}

fn payload_of(kind: u8, bytes: &[u8]) -> Result<Payload, StorageError> {
    match kind {
        BLANK => Ok(Payload::Blank),
        COMMAND => Ok(Payload::Command(Bytes::copy_from_slice(bytes))),
        MEMBERSHIP => Ok(Payload::Membership(Bytes::copy_from_slice(bytes))),
        _ => Err(StorageError::Corrupted(format!("an entry has the unknown kind {kind}"))),
    }
}
