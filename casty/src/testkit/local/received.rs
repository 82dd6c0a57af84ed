//! A message that a test got.

use std::fmt;
use std::ops::Deref;

use crate::actor::{Handles, Port};

/// A message that a test got in place of an actor, and whoever waits for a reply to it.
///
/// Dropped without a [`reply`](Self::reply), it has its asker fail with `AskError::Stopped`.
#[must_use = "an asker waits for a reply to it"]
pub struct Received<A: Handles<M>, M> {
    message: M,
    port: Port<A::Reply>,
}

impl<A: Handles<M>, M> Received<A, M> {
    pub(super) fn new(message: M, port: Port<A::Reply>) -> Self {
        Self { message, port }
    }

    /// Answers, as the handler would by returning `reply`, and gives the message.
    pub fn reply(self, reply: A::Reply) -> M {
        self.port.reply(reply);
        self.message
    }

    /// The message. Its asker, if it has one, is told that there will be no reply.
    pub fn into_message(self) -> M {
        self.message
    }
}

impl<A: Handles<M>, M> Deref for Received<A, M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

/// Messages need not be `Debug`.
impl<A: Handles<M>, M> fmt::Debug for Received<A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received<{}>", std::any::type_name::<M>())
    }
}
