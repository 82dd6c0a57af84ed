//! Carries out work on the tables of the file.

use std::ops::{RangeBounds, RangeInclusive};

use redb::{ReadableTable, StorageError, Table, WriteTransaction};

use super::checksum::Place;
use super::moments::Moments;
use super::rows::{self, Generation, ROWS, RowsTable};
use super::state::UnsavedRows;
use super::tables::{
    BLANK, COMMAND, ENTRIES, EntryValue, FORGOTTEN, KEY_RECORD, MEMBERSHIP, NODE, PART_BYTES, PARTS, PURGED,
    PositionValue, SNAPSHOTS, SnapshotValue, VOTES, VoteValue, place_of, position,
};
use super::work::{Checkpoint, Work};
use crate::base::GroupId;
use crate::storage::{LogEntry, LogPosition, Payload, Vote};

/// The tables of one transaction.
pub(super) struct Tables<'a> {
    entries: Table<'a, (u16, u64), EntryValue>,
    purged: Table<'a, u16, PositionValue>,
    votes: Table<'a, u16, VoteValue>,
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
