//! References whose messages leave as bytes: to an entity, or to an actor of another node.

use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::registration::{Origin, Outbound};
use super::remote::{Address, Untold};
use super::target::Ended;
use super::{ActorId, Env, Registered, Rejected, RemoteTarget, Target};

/// The way to one actor that is reached with bytes.
pub trait Route: Send + Sync + 'static {
    /// Takes the message, or waits for a place under `ticket`, as [`Target::poll_send`] does.
    fn poll_submit(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outbound>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<Outbound>>>;

    /// Takes the message, or fails if that would take waiting.
    fn try_submit(&self, message: Outbound) -> Result<(), Rejected<Outbound>>;

    /// Whoever waited under `ticket` has left. True if its message will certainly not be delivered.
    fn cancel(&self, ticket: u64) -> bool;

    /// What the references of the system share.
    fn env(&self) -> &Env;

    /// The name of the actor behind it.
    fn name(&self) -> Option<&str>;

    /// The time an ask may take by default.
    fn ask_timeout(&self) -> Duration {
        self.env().ask_timeout()
    }

    /// Where the actor lives, if it has a place of its own. An entity has none: its cell comes and goes by itself, so it is
    /// neither stopped nor drained, and never ends.
    fn address(&self) -> Option<Address> {
        None
    }

    /// Stops the actor at once.
    fn stop(&self) {}

    /// Stops the actor after what is queued.
    fn drain(&self) {}

    /// Ends when the actor has stopped, or is known to be gone.
    fn ended(&self) -> Ended<'static> {
        Box::pin(std::future::pending())
    }

    /// Whether it was heard that the actor has stopped.
    fn is_over(&self) -> bool {
        false
    }
}

/// The typed end of a [`Route`].
pub struct Routed<A> {
    route: Arc<dyn Route>,
    actor: PhantomData<fn() -> A>,
}

impl<A: Registered> Routed<A> {
    /// Messages of `A` go along `route`.
    pub(crate) fn new(route: Arc<dyn Route>) -> Self {
        Self { route, actor: PhantomData }
    }
}

impl<A> Clone for Routed<A> {
    fn clone(&self) -> Self {
        Self { route: self.route.clone(), actor: PhantomData }
    }
}

impl<A: Registered> Target<A> for Routed<A> {
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>> {
        let _inside = msg.is_some().then(|| self.route.env().enter());
        let mut message = match msg.take().map(A::encode).transpose() {
            Ok(message) => message,
            Err(error) => {
                let reason = error.to_string();
                return Poll::Ready(Err(Rejected::Unavailable { message: None, reason }));
            }
        };
        self.route.poll_submit(cx, &mut message, ticket).map_err(decoded::<A>)
    }

    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>> {
        let _inside = self.route.env().enter();
        let message =
            A::encode(msg).map_err(|error| Rejected::Unavailable { message: None, reason: error.to_string() })?;
        self.route.try_submit(message).map_err(decoded::<A>)
    }

    fn cancel(&self, ticket: u64) -> bool {
        self.route.cancel(ticket)
    }

    fn env(&self) -> &Env {
        self.route.env()
    }

    fn name(&self) -> Option<&str> {
        self.route.name()
    }

    fn ask_timeout(&self) -> Duration {
        self.route.ask_timeout()
    }

    fn address(&self) -> Result<Address, Untold> {
        self.route.address().ok_or(Untold::NoPlace { actor: A::NAME })
    }
}

impl<A: Registered> RemoteTarget<A> for Routed<A> {
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>> {
        Target::poll_send(self, cx, msg, ticket)
    }

    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>> {
        Target::try_send(self, msg)
    }

    fn cancel(&self, ticket: u64) -> bool {
        self.route.cancel(ticket)
    }

    fn env(&self) -> &Env {
        self.route.env()
    }

    fn name(&self) -> Option<&str> {
        self.route.name()
    }

    fn ask_timeout(&self) -> Duration {
        self.route.ask_timeout()
    }

    fn stop(&self) {
        self.route.stop();
    }

    fn drain(&self) {
        self.route.drain();
    }

    fn ended(&self) -> Ended<'static> {
        self.route.ended()
    }

    fn is_over(&self) -> bool {
        self.route.is_over()
    }

    fn id(&self) -> ActorId {
        match self.route.address() {
            Some(address) => ActorId::remote(A::NAME, address),
            None => ActorId::named(A::NAME, self.route.name()),
        }
    }

    fn address(&self) -> Result<Address, Untold> {
        Target::address(self)
    }
}

/// Reads a message back that was encoded and not taken, for its sender.
fn decoded<A: Registered>(rejected: Rejected<Outbound>) -> Rejected<A::Msg> {
    let read = |message: &Outbound| A::decode(message.tag, &message.body, Origin::default()).ok();
    match rejected {
        Rejected::Full(message) => match read(&message) {
            Some(message) => Rejected::Full(message),
            None => Rejected::Closed(None),
        },
        Rejected::Closed(message) => Rejected::Closed(message.as_ref().and_then(read)),
        Rejected::Unavailable { message, reason } => {
            Rejected::Unavailable { message: message.as_ref().and_then(read), reason }
        }
    }
}
