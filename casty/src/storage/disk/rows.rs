//! Rows in the file.

use std::ops::{Bound, RangeInclusive};

use bytes::Bytes;
use redb::{AccessGuard, Range, ReadOnlyTable, ReadTransaction, ReadableTable, StorageError, Table, TableDefinition};

use super::checksum::Place;
use crate::base::GroupId;
use crate::storage::{RowBatch, RowBatchBuilder};

/// The rows of all groups, each with its checksum, by group, generation and key.
pub(super) const ROWS: TableDefinition<'_, RowKey, RowValue> = TableDefinition::new("rows");

/// How the value of a row that was kept begins. There was none where there is nothing.
const IS: u8 = 1;

type RowKey = (u16, u32, &'static [u8]);
type RowValue = (u64, &'static [u8]);

/// All groups.
pub(super) const ALL: RangeInclusive<GroupId> = GroupId(0)..=GroupId(u16::MAX);

/// The bytes of rows that are removed in one transaction, so that others need not wait long for it.
pub(super) const SWEEP_BYTES: usize = 512 << 10;

pub(super) type RowsTable<'a> = Table<'a, RowKey, RowValue>;
pub(super) type RowsView = ReadOnlyTable<RowKey, RowValue>;

/// All rows of a group that are there together. A snapshot of another node fills a new one, which takes the place of
/// the present one at once. No two have one number, of whichever groups: what is left to do for one never meets another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) group: GroupId,
    pub(super) number: u32,
}

impl Generation {
    fn key(self, key: &[u8]) -> (u16, u32, &[u8]) {
        (self.group.0, self.number, key)
    }

    /// What is behind all its rows.
    fn end(self) -> (u16, u32, &'static [u8]) {
        // The numbers of generations go up by one with each snapshot that comes: they never end.
        (self.group.0, self.number.saturating_add(1), &[])
    }
}

pub(super) fn get(read: &ReadTransaction, of: Generation, key: &[u8]) -> Result<Option<Bytes>, redb::Error> {
    let Some(row) = read.open_table(ROWS)?.get(of.key(key))? else { return Ok(None) };
    Ok(Some(Bytes::copy_from_slice(value(of, key, row.value())?)))
}

/// The value of a row, if it is the one that was written.
fn value<'a>(of: Generation, key: &[u8], (checksum, value): (u64, &'a [u8])) -> Result<&'a [u8], StorageError> {
    Place::Row(of, key).check(checksum, &[], value)?;
    Ok(value)
}

/// The rows of a generation behind a key, until there are so many bytes of them; and the last key, if more may follow.
/// Those that were [kept](keep) are as they were.
pub(super) fn read_behind(
    view: &RowsView,
    of: Generation,
    kept: Generation,
    behind: Option<&[u8]>,
    bytes_max: usize,
) -> Result<(RowBatchBuilder, Option<Vec<u8>>), redb::Error> {
    let (mut now, mut before) = (Cursor::behind(view, of, behind)?, Cursor::behind(view, kept, behind)?);
    let mut batch = RowBatch::builder();
    while let Some(key) = now.key().into_iter().chain(before.key()).min().map(<[u8]>::to_vec) {
        match (before.take(&key)?, now.take(&key)?) {
            (Some(was), _) => {
                if let Some(value) = value(kept, &key, was.value())?.strip_prefix(&[IS]) {
                    batch.push(&key, value)?;
                }
            }
            (None, Some(row)) => batch.push(&key, value(of, &key, row.value())?)?,
            (None, None) => {}
        }
        if batch.bytes() >= bytes_max {
            return Ok((batch, Some(key)));
        }
    }
    Ok((batch, None))
}

/// A place among the rows of a generation.
struct Cursor {
    rows: Range<'static, RowKey, RowValue>,
    next: Option<(AccessGuard<'static, RowKey>, AccessGuard<'static, RowValue>)>,
}

impl Cursor {
    /// Before the first row behind a key.
    fn behind(view: &RowsView, of: Generation, key: Option<&[u8]>) -> Result<Self, StorageError> {
        let first = key.map_or(Bound::Included(of.key(&[])), |key| Bound::Excluded(of.key(key)));
        let mut rows = view.range((first, Bound::Excluded(of.end())))?;
        let next = rows.next().transpose()?;
        Ok(Self { rows, next })
    }

    /// The key of the next row.
    fn key(&self) -> Option<&[u8]> {
        self.next.as_ref().map(|(key, _)| key.value().2)
    }

    /// The value of the next row, if it has this key; then it is passed.
    fn take(&mut self, key: &[u8]) -> Result<Option<AccessGuard<'static, RowValue>>, StorageError> {
        if self.key() != Some(key) {
            return Ok(None);
        }
        let row = std::mem::replace(&mut self.next, self.rows.next().transpose()?);
        Ok(row.map(|(_, row)| row))
    }
}

/// Shows each row of a generation, in the order of the keys.
pub(super) fn each(
    read: &ReadTransaction,
    of: Generation,
    mut show: impl FnMut(&[u8], &[u8]),
) -> Result<(), redb::Error> {
    for row in read.open_table(ROWS)?.range(of.key(&[])..of.end())? {
        let (key, row) = row?;
        let (_, _, key) = key.value();
        show(key, value(of, key, row.value())?);
    }
    Ok(())
}

/// The generations of these groups that have rows.
pub(super) fn generations(
    rows: &impl ReadableTable<RowKey, RowValue>,
    groups: RangeInclusive<GroupId>,
) -> Result<Vec<Generation>, StorageError> {
    let (mut found, mut from) = (Vec::new(), (groups.start().0, 0));
    while let Some(row) = rows.range((from.0, from.1, &[][..])..)?.next() {
        let (group, number, _) = row?.0.value();
        if group > groups.end().0 {
            break;
        }
        found.push(Generation { group: GroupId(group), number });
        from = (group, number.saturating_add(1));
    }
    Ok(found)
}

pub(super) fn put(rows: &mut RowsTable<'_>, of: Generation, key: &[u8], value: &[u8]) -> Result<(), StorageError> {
    rows.insert(of.key(key), (Place::Row(of, key).checksum(&[], value), value)).map(drop)
}

/// Keeps what a row of a generation is, or that there is none, in another one, unless it was kept before.
pub(super) fn keep(rows: &mut RowsTable<'_>, of: Generation, kept: Generation, key: &[u8]) -> Result<(), StorageError> {
    if rows.get(kept.key(key))?.is_some() {
        return Ok(());
    }
    let was = match rows.get(of.key(key))? {
        Some(row) => [&[IS], value(of, key, row.value())?].concat(),
        None => Vec::new(),
    };
    put(rows, kept, key, &was)
}

pub(super) fn delete(rows: &mut RowsTable<'_>, of: Generation, key: &[u8]) -> Result<(), StorageError> {
    rows.remove(of.key(key)).map(drop)
}

/// Removes some of the rows of a generation. Whether there are more.
pub(super) fn sweep(rows: &mut RowsTable<'_>, of: Generation) -> Result<bool, StorageError> {
    let (mut bytes, mut until) = (0, None);
    for row in rows.range(of.key(&[])..of.end())? {
        let (key, value) = row?;
        if bytes >= SWEEP_BYTES {
            until = Some(key.value().2.to_vec());
            break;
        }
        bytes += key.value().2.len() + value.value().1.len();
    }
    match &until {
        Some(until) => rows.retain_in(of.key(&[])..of.key(until), |_, _| false)?,
        None => rows.retain_in(of.key(&[])..of.end(), |_, _| false)?,
    }
    Ok(until.is_some())
}
