//! The replicated state of one group: a table of byte keys and byte values.

use std::io;

use bytes::Bytes;

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
    /// The value of a key.
    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>>;

    /// Makes all changes of a batch, in their order. A reader sees none of them or all.
    fn write(&self, batch: &[Change<'_>]) -> io::Result<()>;

    /// Shows every row to `visit`, in no particular order, in one consistent view. Writers may wait meanwhile.
    fn for_each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()>;

    /// Removes all rows.
    fn clear(&self) -> io::Result<()>;

    /// The number of rows.
    fn len(&self) -> u64;

    /// The bytes of all keys and values.
    fn bytes(&self) -> u64;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
