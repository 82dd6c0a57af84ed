//! An actor of which no more is known than where it is, and that it handles a message.

use std::any::type_name;
use std::future::poll_fn;
use std::sync::Arc;

use super::{Address, Untold};
use crate::actor::dead_letters::DeadReason;
use crate::actor::error::SendError;
use crate::actor::recipient::{Deliver, Delivery};
use crate::actor::registration::Outbound;
use crate::actor::scope::{self, Held};
use crate::actor::{Access, Rejected, Route, WireMessage};
use crate::codec::buffer;

/// The far end of a [`Recipient`](crate::actor::Recipient) that came in a message.
pub(in crate::actor) struct Far(Arc<dyn Route>);

impl Far {
    pub(in crate::actor) fn new(route: Arc<dyn Route>) -> Self {
        Self(route)
    }

    /// Encodes a message; in an entity's handler it is kept until what the handler did is committed, and there is nothing left
    /// to do.
    fn begin<M: WireMessage>(&self, msg: M) -> Result<Option<(M, Outbound)>, SendError<M>> {
        let mut body = buffer();
        let inside = self.0.env().enter();
        let encoded = msg.encode(&mut body);
        drop(inside);
        if let Err(error) = encoded {
            return Err(SendError::Unavailable { message: msg, reason: error.to_string() });
        }
        let message = Outbound { tag: M::TAG, access: Access::Write, body, reply: None, sender: None };
        if !scope::is_nested() {
            return Ok(Some((msg, message)));
        }
        match scope::hold((Arc::clone(&self.0), message), held::<M>) {
            Ok(()) => Ok(None),
            Err(_too_many) => Err(SendError::Full(msg)),
        }
    }
}

impl<M: WireMessage> Deliver<M> for Far {
    fn try_deliver(&self, msg: M) -> Result<(), SendError<M>> {
        let Some((msg, message)) = self.begin(msg)? else { return Ok(()) };
        self.0.try_submit(message).map_err(|rejected| error(&*self.0, rejected, msg))
    }

    fn deliver(&self, msg: M) -> Delivery<'_, M> {
        Box::pin(async move {
            let Some((msg, message)) = self.begin(msg)? else { return Ok(()) };
            submit(Arc::clone(&self.0), message).await.map_err(|rejected| error(&*self.0, rejected, msg))
        })
    }

    fn actor(&self) -> String {
        name(&*self.0)
    }

    fn address(&self) -> Result<Address, Untold> {
        self.0.address().ok_or(Untold::NoPlace { actor: type_name::<M>() })
    }
}

/// Brings a message to the route, and leaves its line when it is dropped.
async fn submit(route: Arc<dyn Route>, message: Outbound) -> Result<(), Rejected<Outbound>> {
    let (mut message, mut line) = (Some(message), Line { route, ticket: None });
    poll_fn(|cx| {
        let Line { route, ticket } = &mut line;
        route.poll_submit(cx, &mut message, ticket)
    })
    .await
}

/// A message of an entity's handler. Its sender was told that it was sent: what cannot be delivered goes to dead letters.
fn held<M: WireMessage>((route, message): (Arc<dyn Route>, Outbound)) -> Held {
    Box::new(move || {
        Box::pin(async move {
            let Err(rejected) = submit(Arc::clone(&route), message).await else { return };
            let reason = match rejected {
                Rejected::Full(_) => DeadReason::NoRoom,
                Rejected::Closed(_) => DeadReason::Stopped,
                Rejected::Unavailable { .. } => DeadReason::Unavailable,
            };
            route.env().dead_letters().record(reason, type_name::<M>(), || name(&*route));
        })
    })
}

fn error<M>(route: &dyn Route, rejected: Rejected<Outbound>, msg: M) -> SendError<M> {
    match rejected {
        Rejected::Full(_) => SendError::Full(msg),
        Rejected::Closed(_) => {
            route.env().dead_letters().record(DeadReason::Stopped, type_name::<M>(), || name(route));
            SendError::Stopped(msg)
        }
        Rejected::Unavailable { reason, .. } => SendError::Unavailable { message: msg, reason },
    }
}

fn name(route: &dyn Route) -> String {
    route.address().map_or_else(|| "an actor".to_owned(), |address| address.to_string())
}

/// A place in the line of a route.
struct Line {
    route: Arc<dyn Route>,
    ticket: Option<u64>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.route.cancel(ticket);
        }
    }
}
