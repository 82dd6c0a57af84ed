//! Copies of a file, or of the groups in it.

use std::ops::RangeBounds;

use redb::{Database, Key, ReadTransaction, TableDefinition, Value};

use super::rows::ROWS;
use super::tables::{self, ENTRIES, FORGOTTEN, NODE, PARTS, PURGED, SNAPSHOTS, VOTES};
use crate::base::GroupId;

/// The rows that are copied in one transaction.
const ROWS_AT_ONCE: usize = 4_096;

/// Copies everything, as it was at one moment, while the file that is read is written on.
pub(super) fn whole(read: &ReadTransaction, to: &Database) -> Result<(), redb::Error> {
    copy(read, to, NODE, ..)?;
    copy(read, to, ENTRIES, ..)?;
    copy(read, to, PURGED, ..)?;
    copy(read, to, VOTES, ..)?;
    if tables::forgotten(read)?.is_some() {
        copy(read, to, FORGOTTEN, ..)?;
    }
    copy(read, to, SNAPSHOTS, ..)?;
    copy(read, to, PARTS, ..)?;
    copy(read, to, ROWS, ..)
}

/// Copies a group, for a node that has had no other log of it.
pub(super) fn group(read: &ReadTransaction, to: &Database, group: GroupId) -> Result<(), redb::Error> {
    let GroupId(id) = group;
    copy(read, to, ENTRIES, (id, 0)..=(id, u64::MAX))?;
    copy(read, to, PURGED, id..=id)?;
    copy(read, to, VOTES, id..=id)?;
    copy(read, to, SNAPSHOTS, id..=id)?;
    copy(read, to, PARTS, (id, 0)..=(id, u32::MAX))?;
    // No generation has the last number.
    copy(read, to, ROWS, (id, 0, &[][..])..(id, u32::MAX, &[][..]))
}

fn copy<'a, K: Key + 'static, V: Value + 'static>(
    read: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'_, K, V>,
    range: impl RangeBounds<K::SelfType<'a>> + 'a,
) -> Result<(), redb::Error> {
    let from = read.open_table(table)?;
    let mut rows = from.range(range)?.peekable();
    // A table without rows is one, too.
    loop {
        let write = to.begin_write()?;
        let mut copy = write.open_table(table)?;
        for row in rows.by_ref().take(ROWS_AT_ONCE) {
            let (key, value) = row?;
            copy.insert(key.value(), value.value())?;
        }
        drop(copy);
        write.commit()?;
        if rows.peek().is_none() {
            return Ok(());
        }
    }
}
