//! An actor whose state a test sees.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use tokio::time::timeout;

use super::Unmet;
use crate::actor::{Actor, ActorRef, StopReason, inspect};

/// An actor that runs as any other, and whose state and mailbox the test sees. It dereferences to its reference; a handler
/// that has the name of a method here is called through [`reference`](Self::reference).
pub struct TestActor<A: Actor> {
    reference: ActorRef<A>,
    within: Duration,
}

impl<A: Actor> TestActor<A> {
    pub(super) fn new(reference: ActorRef<A>, within: Duration) -> Self {
        Self { reference, within }
    }

    /// A reference to the actor.
    pub fn reference(&self) -> ActorRef<A> {
        self.reference.clone()
    }

    /// What `see` makes of the actor, between two messages and ahead of those that wait.
    ///
    /// A panic in `see` is a failure of the actor.
    pub async fn look<S: Send + 'static>(&self, see: impl FnOnce(&A) -> S + Send + 'static) -> Result<S, Unmet> {
        self.change(|actor| see(actor)).await
    }

    /// Has `change` change the actor, between two messages and ahead of those that wait.
    pub async fn change<S: Send + 'static>(
        &self,
        change: impl FnOnce(&mut A) -> S + Send + 'static,
    ) -> Result<S, Unmet> {
        self.in_time("a look at the actor", inspect::look(&self.reference, change)).await
    }

    /// Waits until the actor has handled all that was sent to it, and waits itself, after a restart if it has one. Timers
    /// may be set, futures be piped to it, and messages be stashed.
    pub async fn idle(&self) -> Result<(), Unmet> {
        self.in_time("the actor to be idle", inspect::idle(&self.reference)).await
    }

    /// The types of the messages that wait in its mailbox, the oldest first. An actor takes them out many at a time: those
    /// that it is handling are not among them.
    pub fn queued(&self) -> Vec<&'static str> {
        inspect::queued(&self.reference)
    }

    /// Waits until the actor has stopped, and says why.
    pub async fn ended(&self) -> Result<StopReason, Unmet> {
        self.in_time("the end of the actor", inspect::ended(&self.reference)).await
    }

    async fn in_time<S>(&self, expected: &str, seen: impl Future<Output = Option<S>>) -> Result<S, Unmet> {
        match timeout(self.within, seen).await {
            Ok(Some(seen)) => Ok(seen),
            Ok(None) => Err(Unmet::Stopped { expected: expected.to_owned() }),
            Err(_) => Err(Unmet::Nothing { expected: expected.to_owned(), within: self.within }),
        }
    }
}

impl<A: Actor> Deref for TestActor<A> {
    type Target = ActorRef<A>;

    fn deref(&self) -> &ActorRef<A> {
        &self.reference
    }
}

impl<A: Actor> fmt::Debug for TestActor<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestActor").field("actor", &A::NAME).field("queued", &self.queued()).finish_non_exhaustive()
    }
}
