//! The way to an actor of this node of which only its entrance is known.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{Address, Exported};
use crate::actor::registration::Outbound;
use crate::actor::{Env, Rejected, Route};

/// A [`Route`] that does not leave the node.
pub(super) struct Home(Arc<dyn Exported>);

impl Home {
    pub(super) fn new(exported: Arc<dyn Exported>) -> Self {
        Self(exported)
    }
}

impl Route for Home {
    fn poll_submit(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outbound>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<Outbound>>> {
        self.0.poll_enter(cx, message, ticket)
    }

    fn try_submit(&self, message: Outbound) -> Result<(), Rejected<Outbound>> {
        let (mut message, mut ticket) = (Some(message), None);
        match self.0.poll_enter(&mut Context::from_waker(Waker::noop()), &mut message, &mut ticket) {
            Poll::Ready(sent) => sent,
            // The message was read, and is not handed back: its sender has it still.
            Poll::Pending => match ticket.is_some_and(|ticket| self.0.cancel(ticket)) {
                true => Err(Rejected::Full(Outbound::EMPTY)),
                false => Ok(()),
            },
        }
    }

    fn cancel(&self, ticket: u64) -> bool {
        self.0.cancel(ticket)
    }

    fn env(&self) -> &Env {
        self.0.env()
    }

    fn name(&self) -> Option<&str> {
        self.0.name()
    }

    fn address(&self) -> Option<Address> {
        self.0.address()
    }
}
