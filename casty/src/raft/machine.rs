//! The replicated state machine of a group.

use bytes::Bytes;

use crate::base::BoxError;
use crate::storage::{FrozenRows, StagedRows};

/// What a group replicates. Every replica applies the same commands in the same order, each exactly once.
///
/// Its state is a *head*, which is written and sent whole, and the rows of a table, if it has one, of which only those
/// are written that have changed.
pub trait Machine: Send + Sync + 'static {
    /// Applies a committed command and gives the output for whoever proposed it on this node. It must depend on
    /// nothing but the commands so far. `index` is the command's place in the log; indexes grow but leave gaps.
    ///
    /// An error means that this replica cannot keep the state, such as on a disk that is full; the group stops on this
    /// node. A command that makes no sense is no error: its output says so, on every replica.
    fn apply(&mut self, index: u64, command: &Bytes) -> Result<Bytes, BoxError>;

    /// The whole state of this moment. Called when a follower needs entries that are no longer in the log, before a log
    /// on a disk is compacted, and when much has changed.
    fn snapshot(&self) -> Result<MachineSnapshot, BoxError>;

    /// Begins rows of another node, which are given to [`Machine::restore`] when all have come. `None`: the machine has
    /// no table.
    fn stage(&self) -> Result<Option<Box<dyn StagedRows>>, BoxError> {
        Ok(None)
    }

    /// Replaces the whole state by that of another node, or of an earlier life of this one: `rows` is `None` if the
    /// machine has no table, or if its table has the rows already. After an error the group stops, since its state is
    /// not known any more.
    fn restore(&mut self, head: &[u8], rows: Option<Box<dyn StagedRows>>) -> Result<(), BoxError>;

    /// The bytes of rows that have changed since the last snapshot, and are held in memory until the next one.
    fn unsaved_bytes(&self) -> u64 {
        0
    }
}

/// The state of a machine at one moment.
pub struct MachineSnapshot {
    /// All but the rows.
    pub head: Bytes,
    /// The rows, if the machine has a table.
    pub rows: Option<FrozenRows>,
}

impl From<Vec<u8>> for MachineSnapshot {
    fn from(head: Vec<u8>) -> Self {
        Self { head: head.into(), rows: None }
    }
}
