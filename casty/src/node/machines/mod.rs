//! State machines of the user's own: each is a consensus group of its own, with a copy on every node whose program has it.

mod adapter;
mod error;
mod handle;
mod serve;
mod start;
mod words;

pub use self::error::{ApplyError, ReplicateError};
pub use self::handle::Replicated;
pub(super) use self::serve::{AnyMachine, Machines};
pub use self::start::Replicate;
pub(crate) use self::words::{Applied, MachineWord, ReadIndex};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::BoxError;

/// A state machine that is replicated by [`Node::replicate`](super::Node::replicate).
///
/// Every copy applies the same commands in the same order, each exactly once. So what `apply` does must follow from the state
/// and the command alone: no clock, no random numbers, no order of a `HashMap`.
pub trait StateMachine: Send + Sync + 'static {
    /// What changes the state.
    type Command: Serialize + DeserializeOwned + Send + 'static;
    /// What a change answers.
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Changes the state. After a panic the caller is told so, and the machine goes on as the panic left it, which is the same
    /// on every copy.
    ///
    /// An output takes 8 MiB at most, encoded: beyond, the command is applied, and its caller told that the output is lost
    /// ([`ApplyError::OutputTooLarge`]). Outputs are kept until they are heard, 64 MiB of them in all.
    fn apply(&mut self, command: Self::Command) -> Self::Output;

    /// The whole state as bytes: for a copy that lacks more than the log still has.
    fn snapshot(&self) -> Result<Vec<u8>, BoxError>;

    /// Replaces the whole state by one that [`snapshot`](Self::snapshot) gave on another copy.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError>;
}
