//! How the file is laid out, and what is read from it. What changes it is in `changes`.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, StorageError, TableDefinition, WriteTransaction};

use super::Identity;
use super::checksum::Place;
use super::rows::{self, Generation, ROWS};
use crate::base::{GroupId, NodeId};
use crate::storage::{LogEntry, LogPosition, Payload, StoredSnapshot, Vote};

/// The layout below: each value begins with its [checksum](Place). A release that changes it gives it another number.
pub(super) const FORMAT: u32 = 3;

/// The term, the kind and the payload of each entry, by group and index.
pub(super) const ENTRIES: TableDefinition<'_, (u16, u64), EntryValue> = TableDefinition::new("entries");
/// The term and the index of the last purged entry, by group.
pub(super) const PURGED: TableDefinition<'_, u16, PositionValue> = TableDefinition::new("purged");
/// Term, node and whether a quorum gave it, by group.
pub(super) const VOTES: TableDefinition<'_, u16, VoteValue> = TableDefinition::new("votes");
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
pub(super) type VoteValue = (u64, u64, u64, u8);
pub(super) type EntryValue = (u64, u64, u8, &'static [u8]);
pub(super) type SnapshotValue = (u64, u64, u64, u32, u64, &'static [u8]);

const KEY_FORMAT: &str = "format";
const KEY_NODE: &str = "node";
const KEY_CLUSTER: &str = "cluster";
pub(super) const KEY_RECORD: &str = "record";

/// The bytes of a part. The library stores a value in one run of pages, which is a power of two: this leaves room for
/// what it adds.
pub(super) const PART_BYTES: usize = (1 << 20) - 4_096;

pub(super) const BLANK: u8 = 0;
pub(super) const COMMAND: u8 = 1;
pub(super) const MEMBERSHIP: u8 = 2;

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

/// Looks at all that is kept once for a group. A row whose key has changed would be found by nobody, and what it says count as
/// never said: a node would vote twice.
pub(super) fn check_groups(read: &ReadTransaction) -> Result<(), redb::Error> {
    for row in read.open_table(VOTES)?.iter()? {
        let (group, value) = row?;
        vote(group.value(), value.value())?;
    }
    for row in read.open_table(PURGED)?.iter()? {
        let (group, value) = row?;
        position(Place::Purged(group.value()), value.value())?;
    }
    if let Some(forgotten) = forgotten(read)? {
        for row in forgotten.iter()? {
            let (group, value) = row?;
            position(Place::Forgotten(group.value()), value.value())?;
        }
    }
    for row in read.open_table(SNAPSHOTS)?.iter()? {
        let (group, value) = row?;
        place_of(GroupId(group.value()), value.value())?;
    }
    Ok(())
}

pub(super) fn read_log(read: &ReadTransaction, group: GroupId) -> Result<StoredLog, redb::Error> {
    let vote = read.open_table(VOTES)?.get(group.0)?.map(|row| vote(group.0, row.value())).transpose()?;
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

fn vote(group: u16, (checksum, term, node, committed): VoteValue) -> Result<Vote, StorageError> {
    Place::Vote(group).check(checksum, &[term, node, committed.into()], &[])?;
    Ok(Vote { term, node, committed: committed != 0 })
}

pub(super) fn position(place: Place<'_>, (checksum, term, index): PositionValue) -> Result<LogPosition, StorageError> {
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

pub(super) fn place_of(
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

fn payload_of(kind: u8, bytes: &[u8]) -> Result<Payload, StorageError> {
    match kind {
        BLANK => Ok(Payload::Blank),
        COMMAND => Ok(Payload::Command(Bytes::copy_from_slice(bytes))),
        MEMBERSHIP => Ok(Payload::Membership(Bytes::copy_from_slice(bytes))),
        _ => Err(StorageError::Corrupted(format!("an entry has the unknown kind {kind}"))),
    }
}
