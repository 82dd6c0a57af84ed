//! What goes wrong with a replicated state machine.

use std::time::Duration;

use super::adapter::{OUTPUT_BYTES_MAX, OUTPUTS_BYTES_MAX};

/// `node.replicate(..)` failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicateError {
    /// This program has a machine of that name already, of another type, or is about to start it.
    #[error(
        "this node has another state machine `{name}`, or is about to start it: choose another name, or wait for it"
    )]
    Taken {
        /// The name.
        name: String,
    },
    /// The cluster has as many machines as it can have.
    #[error("the cluster has no room for the state machine `{name}`: it has {max} of them")]
    TooMany {
        /// The name.
        name: String,
        /// The most.
        max: usize,
    },
    /// Not enough nodes have the machine, or the cluster does not answer.
    #[error(
        "the state machine `{name}` did not begin within {after:?}: it takes a majority of the nodes that are to vote in it, \
         each of which calls `replicate`"
    )]
    Unavailable {
        /// The name.
        name: String,
        /// How long was waited.
        after: Duration,
    },
    /// The group did not start on this node.
    #[error("the state machine `{name}` cannot start here: {why}")]
    NotStarted {
        /// The name.
        name: String,
        /// Why.
        why: String,
    },
}

/// A command was not applied, or a read not made, as far as the caller can know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The machine panicked while it applied the command, on every copy.
    #[error("the state machine `{name}` panicked while it applied the command")]
    Failed {
        /// The name.
        name: String,
    },
    /// It was applied, and its output is larger than one may be.
    #[error(
        "the state machine `{name}` applied the command, and its output of {bytes} bytes is lost: {max} are allowed; have \
         the command answer with less, and read the rest"
    )]
    OutputTooLarge {
        /// The name.
        name: String,
        /// The length of the output, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        max: usize,
    },
    /// It was applied, and its output was let go of before it arrived: the command had to be sent again, and the copies keep
    /// only so much of what was not heard.
    #[error(
        "the state machine `{name}` applied the command, and its output of {bytes} bytes is lost: {max} bytes of outputs are \
         kept until they are heard, and others have taken its place; read what it changed"
    )]
    OutputLost {
        /// The name.
        name: String,
        /// The length of the output, in bytes.
        bytes: u64,
        /// How much is kept of all outputs, in bytes.
        max: usize,
    },
    /// It was certainly not applied: no leader took it.
    #[error("the state machine `{name}` had no leader for {after:?}; nothing was applied")]
    Unavailable {
        /// The name.
        name: String,
        /// How long was tried.
        after: Duration,
    },
    /// It was taken, and it is not known what became of it. It is applied once at most.
    #[error("no answer of the state machine `{name}` within {after:?}; the command may have been applied")]
    Unknown {
        /// The name.
        name: String,
        /// How long was waited.
        after: Duration,
    },
    /// The command or its output cannot be encoded or decoded.
    #[error("a command of the state machine `{name}` cannot travel: {why}")]
    Codec {
        /// The name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The node was shut down.
    #[error("the state machine `{name}` has stopped on this node")]
    Stopped {
        /// The name.
        name: String,
    },
}

impl ApplyError {
    /// The command was applied, and its output of so many bytes is not kept.
    pub(super) fn without_output(name: &str, bytes: u64) -> Self {
        let name = name.to_owned();
        match bytes > OUTPUT_BYTES_MAX as u64 {
            true => Self::OutputTooLarge { name, bytes, max: OUTPUT_BYTES_MAX },
            false => Self::OutputLost { name, bytes, max: OUTPUTS_BYTES_MAX },
        }
    }
}
