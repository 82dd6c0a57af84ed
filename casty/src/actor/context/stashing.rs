//! Messages that an actor puts aside until it is ready for them.

use super::{Ctx, Home};
use crate::actor::{Actor, Handles};

impl<A: Actor> Ctx<A> {
    /// Puts messages of type `M` aside from now on, whoever sends them, until [`unstash_all`](Self::unstash_all): for an actor
    /// that is not ready for them yet. It may be called for several types.
    ///
    /// As many are put aside as the mailbox holds; past it, those that come go to dead letters, and who asked is told
    /// `AskError::MailboxFull`. A restart takes all of them back. An entity puts nothing aside.
    pub fn stash<M>(&mut self)
    where
        A: Handles<M>,
    {
        if let Home::Local(_) = self.home {
            self.extras().own().stash.begin::<M>();
        }
    }

    /// Puts nothing aside any more. What was is handled next, in the order in which it came.
    pub fn unstash_all(&mut self) {
        if let Some(extras) = &mut self.extras {
            extras.own().stash.end();
        }
    }

    /// How many messages are put aside.
    pub fn stashed(&mut self) -> usize {
        self.extras.as_mut().map_or(0, |extras| extras.own().stash.len())
    }
}
