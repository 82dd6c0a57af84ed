//! The replicated state of one group: a table of byte keys and byte values.

use std::any::Any;
use std::io;

use bytes::Bytes;

use super::{Flushed, RowBatch};

/// One change of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The row of a key gets this value, whether it existed or not.
    Put(&'a [u8], &'a [u8]),
    /// The row of a key goes away, if it existed.
    Delete(&'a [u8]),
}

/// A table that the machine of one group writes and that others may read at the same time.
pub trait StateStore: Send + Sync + 'static {
    /// The value of a key. It may read a disk, and wait for as long as that takes.
    ///
    /// An error of the kind [`InvalidData`](io::ErrorKind::InvalidData) is about this row. Any other says that the store has failed;
    /// [`Stores::failure`](super::Stores::failure) then ends the node, and what needs the row waits for another.
    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>>;

    /// Makes all changes of a batch, in their order. A reader sees none of them or all.
    fn write(&self, batch: &[Change<'_>]) -> io::Result<()>;

    /// The rows of this moment, while the table goes on. It takes no longer the more rows there are.
    fn freeze(&self) -> io::Result<FrozenRows>;

    /// Begins rows that are to take the place of all that the table has.
    fn stage(&self) -> io::Result<Box<dyn StagedRows>>;

    /// All rows of this moment, for who compares tables. It changes nothing.
    #[cfg(any(test, feature = "sim"))]
    #[doc(hidden)]
    fn all_rows(&self) -> io::Result<RowBatch> {
        match self.freeze()? {
            FrozenRows::Here(mut rows) => rows.read(usize::MAX),
            FrozenRows::Unsaved(_) => Err(io::Error::other("the rows are not in memory")),
        }
    }

    /// The bytes of the rows that have changed since the table was frozen last, and are held in memory until then.
    /// 0 where there is no other place for them.
    fn unsaved_bytes(&self) -> u64 {
        0
    }
}

/// All rows of a table at one moment.
pub enum FrozenRows {
    /// They can be read here.
    Here(Box<dyn RowReader>),
    /// They have to be handed to [`SnapshotStore::save`](super::SnapshotStore::save) of the same group, which knows
    /// what this is, before the table is frozen again, and can be read there once they are durable.
    Unsaved(Box<dyn Any + Send>),
}

/// Reads all rows of one moment bit by bit, each once.
pub trait RowReader: Send + 'static {
    /// The next rows: it stops after the one with which `bytes_max` is reached. Empty after the last. It may read a
    /// disk: not for a thread that others wait for.
    fn read(&mut self, bytes_max: usize) -> io::Result<RowBatch>;
}

/// Rows that come in for a table that goes on as it is, until they are adopted. They are gone when this is dropped.
pub trait StagedRows: Send + 'static {
    /// Whether they are held in memory, all of them.
    fn in_memory(&self) -> bool;

    /// Takes some of the rows over; no call blocks on a disk.
    fn put(&mut self, rows: RowBatch, done: Flushed) -> io::Result<()>;

    /// The table has these rows from now on, and no others; only once all of them are taken, as [`Flushed`] says. A
    /// restart still finds the old ones until the table was frozen again, and saved.
    fn adopt(self: Box<Self>) -> io::Result<()>;
}
