//! Anyone who handles a message.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::error::SendError;
use super::remote::{Address, Untold};
use super::reply::Port;
use super::send::{SendRequest, try_send};
use super::{Handles, Message, Route, Target, WireMessage, scope};

/// A reference to an actor of any type that handles `M`. It keeps the actor alive as an `ActorRef` does, and can be sent to
/// other nodes as one.
pub struct Recipient<M>(Arc<dyn Deliver<M>>);

impl<M: Message> Recipient<M> {
    /// Whoever is behind `target`.
    pub(crate) fn new<A: Handles<M>, T: Target<A>>(target: T) -> Self {
        Self(Arc::new(To { target, actor: PhantomData }))
    }

    /// Sends, waiting for room in the mailbox.
    pub async fn send(&self, msg: M) -> Result<(), SendError<M>> {
        // Most often there is room, and nothing needs to be boxed.
        match self.0.try_deliver(msg) {
            Err(SendError::Full(msg)) => self.0.deliver(msg).await,
            done => done,
        }
    }

    /// Sends, or hands the message back if the mailbox is full.
    pub fn try_send(&self, msg: M) -> Result<(), SendError<M>> {
        self.0.try_deliver(msg)
    }
}

impl<M> Clone for Recipient<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> fmt::Debug for Recipient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient<{}>({})", std::any::type_name::<M>(), self.0.actor())
    }
}

impl<M: WireMessage> Recipient<M> {
    /// Whoever is at the end of `route`.
    pub(super) fn far(route: Arc<dyn Route>) -> Self {
        Self(Arc::new(Far(route)))
    }
}

impl<M> Recipient<M> {
    /// Where the actor lives, for other nodes.
    pub(super) fn address(&self) -> Result<Address, Untold> {
        self.0.address()
    }
}

type Delivery<'a, M> = Pin<Box<dyn Future<Output = Result<(), SendError<M>>> + Send + 'a>>;

trait Deliver<M>: Send + Sync {
    fn try_deliver(&self, msg: M) -> Result<(), SendError<M>>;
    fn deliver(&self, msg: M) -> Delivery<'_, M>;
    fn actor(&self) -> String;
    fn address(&self) -> Result<Address, Untold>;
}

struct To<A, T> {
    target: T,
    actor: PhantomData<fn() -> A>,
}

impl<M: Message, A: Handles<M>, T: Target<A>> Deliver<M> for To<A, T> {
    fn try_deliver(&self, msg: M) -> Result<(), SendError<M>> {
        try_send::<A, T, M>(&self.target, A::wrap(msg, Port::none()))
    }

    fn deliver(&self, msg: M) -> Delivery<'_, M> {
        Box::pin(SendRequest::<A, T, M>::new(&self.target, Some(A::wrap(msg, Port::none()))))
    }

    fn actor(&self) -> String {
        A::NAME.to_owned()
    }

    fn address(&self) -> Result<Address, Untold> {
        self.target.address()
    }
}

/// An actor of which no more is known than where it is, and that it handles the message.
struct Far(Arc<dyn Route>);

impl<M: WireMessage> Deliver<M> for Far {
    fn try_deliver(&self, msg: M) -> Result<(), SendError<M>> {
        let message = match far::encoded(&*self.0, &msg) {
            Ok(message) => message,
            Err(reason) => return Err(SendError::Unavailable { message: msg, reason }),
        };
        if scope::is_nested() {
            return far::hold::<M>(&self.0, message).map_err(|()| SendError::Full(msg));
        }
        self.0.try_submit(message).map_err(|rejected| far::error(&*self.0, rejected, msg))
    }

    fn deliver(&self, msg: M) -> Delivery<'_, M> {
        Box::pin(async move {
            let message = match far::encoded(&*self.0, &msg) {
                Ok(message) => message,
                Err(reason) => return Err(SendError::Unavailable { message: msg, reason }),
            };
            if scope::is_nested() {
                return far::hold::<M>(&self.0, message).map_err(|()| SendError::Full(msg));
            }
            far::submit(Arc::clone(&self.0), message).await.map_err(|rejected| far::error(&*self.0, rejected, msg))
        })
    }

    fn actor(&self) -> String {
        far::actor(&*self.0)
    }

    fn address(&self) -> Result<Address, Untold> {
        self.0.address().ok_or(Untold::NoPlace { actor: std::any::type_name::<M>() })
    }
}

/// What [`Far`] does with messages that are bytes.
mod far {
    use std::any::type_name;
    use std::future::poll_fn;
    use std::sync::Arc;

    use crate::actor::dead_letters::DeadReason;
    use crate::actor::error::SendError;
    use crate::actor::registration::Outbound;
    use crate::actor::scope::{self, Held};
    use crate::actor::{Access, Rejected, Route, WireMessage};

    pub(super) fn encoded<M: WireMessage>(route: &dyn Route, msg: &M) -> Result<Outbound, String> {
        let _inside = route.env().enter();
        let mut body = Vec::new();
        msg.encode(&mut body).map_err(|error| error.to_string())?;
        Ok(Outbound { tag: M::TAG, access: Access::Write, body, reply: None, sender: None })
    }

    /// Brings a message to the route, and leaves its line when it is dropped.
    pub(super) async fn submit(route: Arc<dyn Route>, message: Outbound) -> Result<(), Rejected<Outbound>> {
        let (mut message, mut line) = (Some(message), Line { route, ticket: None });
        poll_fn(|cx| {
            let Line { route, ticket } = &mut line;
            route.poll_submit(cx, &mut message, ticket)
        })
        .await
    }

    /// Keeps a message of an entity's handler until what the handler did is committed.
    pub(super) fn hold<M: WireMessage>(route: &Arc<dyn Route>, message: Outbound) -> Result<(), ()> {
        let held = |(route, message): (Arc<dyn Route>, Outbound)| -> Held {
            Box::new(move || {
                Box::pin(async move {
                    let Err(rejected) = submit(Arc::clone(&route), message).await else { return };
                    let reason = match rejected {
                        Rejected::Full(_) => DeadReason::NoRoom,
                        Rejected::Closed(_) => DeadReason::Stopped,
                        Rejected::Unavailable { .. } => DeadReason::Unavailable,
                    };
                    route.env().dead_letters().record(reason, type_name::<M>(), || actor(&*route));
                })
            })
        };
        scope::hold((Arc::clone(route), message), held).map_err(drop)
    }

    pub(super) fn error<M>(route: &dyn Route, rejected: Rejected<Outbound>, msg: M) -> SendError<M> {
        match rejected {
            Rejected::Full(_) => SendError::Full(msg),
            Rejected::Closed(_) => {
                route.env().dead_letters().record(DeadReason::Stopped, type_name::<M>(), || actor(route));
                SendError::Stopped(msg)
            }
            Rejected::Unavailable { reason, .. } => SendError::Unavailable { message: msg, reason },
        }
    }

    pub(super) fn actor(route: &dyn Route) -> String {
        route.address().map_or_else(|| "an actor".to_owned(), |address| address.to_string())
    }

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
}
