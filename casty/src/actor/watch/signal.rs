//! What reaches an actor beside its queue, ahead of what is queued.

use super::{Interest, Terminated};
use crate::actor::Failure;
use crate::actor::supervision::Halt;

/// What an actor is told by others than its callers.
pub(in crate::actor) enum Signal {
    /// An actor that it watches has stopped.
    Terminated(Terminated),
    /// An actor that it is linked with has stopped.
    LinkEnded(Terminated),
    /// It fails, of what a child or a future of its own failed of. The number is that of the instance whose they are.
    Failed(Failure, u64),
    /// It restarts in step with its siblings.
    Halt(Halt),
    /// A test looks at it.
    #[cfg(feature = "testkit")]
    Look(crate::actor::inspect::Look),
    /// A test wants to know when it has nothing to do.
    #[cfg(feature = "testkit")]
    WhenIdle(tokio::sync::oneshot::Sender<()>),
}

impl Interest {
    /// What tells of an end to one that has this interest in it.
    pub(in crate::actor) fn signal(self, terminated: Terminated) -> Signal {
        match self {
            Self::Watch => Signal::Terminated(terminated),
            Self::Link => Signal::LinkEnded(terminated),
        }
    }
}
