//! A test in place of an actor.

use std::any::type_name;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Received, Unmet};
use crate::actor::{Actor, ActorRef, Handles};

/// Stands in for an actor of type `A`: its messages wait for the test, in the order in which they came, and the test
/// replies. It dereferences to the reference that others are given.
///
/// A handler that has the name of a method here is called through [`reference`](Self::reference). No handler and no hook of
/// `A` runs, and its mailbox is never full. The actor lives until it is stopped or the
/// stub and all references are dropped.
pub struct Stub<A: Actor> {
    reference: ActorRef<A>,
    inbox: mpsc::UnboundedReceiver<A::Msg>,
    within: Duration,
}

impl<A: Actor> Stub<A> {
    pub(super) fn new(reference: ActorRef<A>, inbox: mpsc::UnboundedReceiver<A::Msg>, within: Duration) -> Self {
        Self { reference, inbox, within }
    }

    /// A reference to the actor that the test stands in for.
    pub fn reference(&self) -> ActorRef<A> {
        self.reference.clone()
    }

    /// The next message, which is an `M`.
    pub async fn expect<M>(&mut self) -> Result<Received<A, M>, Unmet>
    where
        A: Handles<M>,
    {
        let expected = || format!("a `{}`", type_name::<M>());
        match timeout(self.within, self.inbox.recv()).await {
            Ok(Some(msg)) => {
                let found = A::message_name(&msg);
                match A::unwrap(msg) {
                    Ok((message, port)) => Ok(Received::new(message, port)),
                    Err(_) => Err(Unmet::Other { expected: expected(), found }),
                }
            }
            Ok(None) => Err(Unmet::Stopped { expected: expected() }),
            Err(_) => Err(Unmet::Nothing { expected: expected(), within: self.within }),
        }
    }

    /// No message comes for so long. One that does is taken.
    pub async fn expect_nothing(&mut self, during: Duration) -> Result<(), Unmet> {
        match timeout(during, self.inbox.recv()).await {
            Ok(Some(msg)) => {
                Err(Unmet::Other { expected: format!("nothing for {during:?}"), found: A::message_name(&msg) })
            }
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// How many messages have come and were not expected yet.
    pub fn waiting(&self) -> usize {
        self.inbox.len()
    }
}

impl<A: Actor> Deref for Stub<A> {
    type Target = ActorRef<A>;

    fn deref(&self) -> &ActorRef<A> {
        &self.reference
    }
}

impl<A: Actor> fmt::Debug for Stub<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub").field("actor", &A::NAME).field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}
