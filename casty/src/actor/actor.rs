//! What an actor is. `#[actor]` and `#[persistent]` implement these traits; nobody writes them by hand.

use std::future::Future;

use super::{Ctx, Directive, Failure, Layout, OldState, Port, Saver, StateError, Target, Terminated};
use crate::base::{BoxError, EntityId};
use crate::codec::EncodeError;

/// A value with private state that handles one message at a time and is only reached through a reference.
///
/// Put [`#[actor]`](macro@crate::actor) on an `impl` block to implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an actor",
    label = "this is not an actor",
    note = "put `#[actor]` on its `impl {Self}` block"
)]
pub trait Actor: Sized + Send + 'static {
    /// What lies in the mailbox: one variant a handler, each with its message and the port of its reply.
    type Msg: Send + 'static;
    /// The typed methods that every reference to this actor has.
    type Handle<T: Target<Self>>: From<T> + AsRef<T> + Send + Sync + 'static;
    /// The wire name, the same on every node.
    const NAME: &'static str;
    /// Whether any handler is `async`.
    const HAS_ASYNC: bool = false;
    /// Whether [`started`](Self::started) does anything.
    const HAS_START: bool = false;
    /// Whether [`stopped`](Self::stopped) does anything.
    const HAS_STOP: bool = false;

    /// Runs the handler of `msg` if it is a plain `fn`, and answers through its port. The message of an `async` one is
    /// handed back.
    fn dispatch(&mut self, msg: Self::Msg, _ctx: &mut Ctx<Self>) -> Option<Self::Msg> {
        Some(msg)
    }

    /// Runs the `async` handler of `msg`, and answers through its port.
    fn dispatch_async(&mut self, _msg: Self::Msg, _ctx: &mut Ctx<Self>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Whether the handler of `msg` takes `&self` or `&mut self`.
    fn access(msg: &Self::Msg) -> Access;

    /// The type of the message in `msg`, for the log and for dead letters.
    fn message_name(_msg: &Self::Msg) -> &'static str {
        std::any::type_name::<Self::Msg>()
    }

    /// `on_start`.
    fn started(&mut self, _ctx: &mut Ctx<Self>) -> impl Future<Output = Result<(), BoxError>> + Send {
        async { Ok(()) }
    }

    /// `on_stop`.
    fn stopped(&mut self, _ctx: &mut Ctx<Self>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// `on_error`: what becomes of the actor after it failed.
    fn failed(&mut self, _failure: &Failure) -> Directive {
        Directive::Restart
    }

    /// `on_terminated`: an actor that it watches has stopped.
    fn terminated(&mut self, _terminated: Terminated, _ctx: &mut Ctx<Self>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// `new(EntityId)`, where the actor has one.
    fn create(_id: &EntityId) -> Option<Self> {
        None
    }
}

/// An actor that handles messages of type `M`. One `#[handler]` method implements it.
#[diagnostic::on_unimplemented(
    message = "the actor `{Self}` has no handler for `{M}`",
    label = "`{Self}` does not handle this message",
    note = "add `#[handler] fn name(&mut self, msg: {M})` to the `#[actor] impl {Self}` block"
)]
pub trait Handles<M>: Actor {
    /// `M`. [`SentTo`] tells why it is said again.
    type Message: From<M>;
    /// What the handler returns.
    type Reply: Send + 'static;
    /// What an asker gets: `Reply`, or the `Ok` of a `Result`.
    type Ok;
    /// The `Err` of a `Result`, or [`Infallible`](std::convert::Infallible).
    type Error;
    /// Whether the handler takes `&self` or `&mut self`.
    const ACCESS: Access;

    /// Puts a message and the port of its reply into the mailbox's type.
    fn wrap(msg: M, port: Port<Self::Reply>) -> Self::Msg;

    /// Takes both out again, when the message could not be delivered. `Err`: it is of another handler.
    fn unwrap(msg: Self::Msg) -> Result<(M, Port<Self::Reply>), Self::Msg>;

    /// Splits what the handler returned.
    fn outcome(reply: Self::Reply) -> Result<Self::Ok, Self::Error>;
}

/// [`Handles`], seen from the message. It keeps the compiler from guessing `M` where an actor has one handler.
///
/// What returns a [`Request`](super::Request) takes an `impl SentTo<A, Message = M>`. Where there is no handler, `M` stays
/// unknown, and so the compiler has nothing to say about the request: it reports the argument, and only that.
pub trait SentTo<A>: Into<Self::Message> {
    /// The type itself, if the actor `A` has a handler for it.
    type Message;
}

impl<M, A: Handles<M>> SentTo<A> for M {
    type Message = A::Message;
}

/// Whether a handler may change the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `&self`: on an entity it writes nothing to the log.
    Read,
    /// `&mut self`.
    Write,
}

/// An actor part of which is state: what is replicated, kept, and restored on another node.
///
/// [`#[persistent]`](macro@crate::persistent) implements it, or [`State`](super::State) does, by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no persistent state",
    label = "an entity needs persistent state",
    note = "put `#[persistent]` on `struct {Self}` to keep all its fields, or `#[persistent(a, b)]` to keep some"
)]
pub trait Persistent: Sized {
    /// Which fields are state, and how those of earlier versions are read.
    const LAYOUT: &'static Layout;

    /// Hands each persistent field to `saver`.
    fn save(&self, saver: &mut Saver<'_>) -> Result<(), EncodeError>;

    /// Replaces the persistent fields by those of a state of this layout's version. On an error nothing is replaced.
    fn load(&mut self, state: &mut OldState) -> Result<(), StateError>;

    /// Applies an encoded event, which version `stored` of the layout recorded.
    fn replay(&mut self, _stored: u32, _event: &[u8]) -> Result<(), StateError> {
        Err(StateError::NoEvents { of: std::any::type_name::<Self>() })
    }
}

/// An actor that can be made from its id alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from an id",
    label = "an entity is made by its first message, from its id",
    note = "add `fn new(id: EntityId) -> Self` to the `#[actor] impl {Self}` block"
)]
pub trait FromId: Actor {}

/// An actor that hears when others stop.
#[diagnostic::on_unimplemented(
    message = "`{Self}` watches another actor and has no `on_terminated`",
    label = "`{Self}` has nothing to be told with",
    note = "add `fn on_terminated(&mut self, terminated: Terminated)` to the `#[actor] impl {Self}` block; `async` and `ctx` may be added"
)]
pub trait WatchesOthers: Actor {}
