//! Who is told when an actor stops, and what it is told; and what reaches an actor beside its queue.

mod id;
mod sideband;
mod signal;

use std::fmt;

pub use self::id::ActorId;
use self::id::Far;
pub(super) use self::sideband::{Interest, Sideband, Watcher};
pub(super) use self::signal::Signal;
use super::Failure;

/// An actor that was watched has stopped. `on_terminated` gets it, once for every watched actor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terminated {
    /// The actor. Compare it with [`ActorRef::id`](super::ActorRef::id).
    pub who: ActorId,
    /// Why it stopped.
    pub reason: StopReason,
}

/// Why an actor stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// It was stopped or drained, or the last reference to it was gone.
    Stopped,
    /// It failed, and did not go on.
    Failed(Failure),
    /// Its `on_start` failed: it has handled no message.
    StartFailed(Failure),
    /// An actor that it was linked with stopped, and not because it was told to.
    Linked {
        /// That actor.
        with: ActorId,
    },
    /// It was dropped where it waited, without `on_stop`: its runtime was shut down, or the time of a shutdown was over.
    Aborted,
    /// Its node left the cluster, was declared down, or was replaced by a newer life.
    NodeLost,
    /// It had stopped before, and its node has forgotten why.
    Forgotten,
}

impl StopReason {
    /// Whether the actor was told to stop. If not, those that are linked with it stop too.
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}

/// A [`StopReason`] as it is kept: what most actors end with needs no box.
#[derive(Clone, Default)]
pub(super) enum Ending {
    #[default]
    Aborted,
    Stopped,
    Other(Box<StopReason>),
}

impl From<Ending> for StopReason {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Aborted => Self::Aborted,
            Ending::Stopped => Self::Stopped,
            Ending::Other(reason) => *reason,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("it was told to stop"),
            Self::Failed(failure) => write!(f, "it failed: {failure}"),
            Self::StartFailed(failure) => write!(f, "it could not start: {failure}"),
            Self::Linked { with } => write!(f, "{with}, with which it was linked, stopped"),
            Self::Aborted => f.write_str("it was dropped where it waited"),
            Self::NodeLost => f.write_str("its node was lost"),
            Self::Forgotten => f.write_str("it had stopped before, and its node has forgotten why"),
        }
    }
}
