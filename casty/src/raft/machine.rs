//! The replicated state machine of a group.

use bytes::Bytes;

use crate::base::BoxError;

/// What a group replicates. Every replica applies the same commands in the same order, each exactly once.
pub trait Machine: Send + Sync + 'static {
    /// Applies a committed command and gives the output for whoever proposed it on this node. It must depend on
    /// nothing but the commands so far. `index` is the command's place in the log; indexes grow but leave gaps.
    ///
    /// An error means that this replica cannot keep the state, such as on a disk that is full; the group stops on this
    /// node. A command that makes no sense is no error: its output says so, on every replica.
    fn apply(&mut self, index: u64, command: &Bytes) -> Result<Bytes, BoxError>;

    /// The whole state as bytes. Called when a follower needs entries that are no longer in the log, and before a log
    /// on a disk is compacted.
    fn snapshot(&self) -> Result<Bytes, BoxError>;

    /// Replaces the whole state by one that [`Machine::snapshot`] gave, on another node or in an earlier life of this
    /// one. After an error the group stops, since its state is not known any more.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError>;
}
