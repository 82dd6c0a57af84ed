//! A message on its way that wants no reply.

use std::any::type_name;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::dead_letters::DeadReason;
use super::error::SendError;
use super::scope::{self, Held};
use super::{Actor, Handles, Message, Rejected, Target};

/// A send: ready when the message is queued. Nothing is sent before it is polled; dropped while it waits for room, it takes
/// the message back.
#[must_use = "nothing is sent until it is awaited"]
pub struct SendRequest<'a, A: Handles<M>, T: Target<A>, M> {
    to: &'a T,
    msg: Option<A::Msg>,
    ticket: Option<u64>,
    message: PhantomData<fn() -> M>,
}

impl<'a, A: Handles<M>, T: Target<A>, M: Message> SendRequest<'a, A, T, M> {
    #[inline]
    pub(super) fn new(to: &'a T, msg: Option<A::Msg>) -> Self {
        Self { to, msg, ticket: None, message: PhantomData }
    }
}

impl<A: Handles<M>, T: Target<A>, M: Message> Future for SendRequest<'_, A, T, M> {
    type Output = Result<(), SendError<M>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = self.get_mut();
        if me.ticket.is_none()
            && scope::is_nested()
            && let Some(msg) = me.msg.take()
        {
            return Poll::Ready(hold::<A, T, M>(me.to, msg));
        }
        match ready!(me.to.poll_send(cx, &mut me.msg, &mut me.ticket)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(rejected) => Poll::Ready(Err(send_error::<A, T, M>(me.to, rejected))),
        }
    }
}

impl<A: Handles<M>, T: Target<A>, M> Drop for SendRequest<'_, A, T, M> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.to.cancel(ticket);
        }
    }
}

impl<A: Handles<M>, T: Target<A>, M> Unpin for SendRequest<'_, A, T, M> {}

/// `try_send`, held back inside an entity's handler.
#[inline]
pub(super) fn try_send<A: Handles<M>, T: Target<A>, M: Message>(to: &T, msg: A::Msg) -> Result<(), SendError<M>> {
    if scope::is_nested() {
        return hold::<A, T, M>(to, msg);
    }
    to.try_send(msg).map_err(|rejected| send_error::<A, T, M>(to, rejected))
}

#[cold]
fn hold<A: Handles<M>, T: Target<A>, M: Message>(to: &T, msg: A::Msg) -> Result<(), SendError<M>> {
    let to = to.clone();
    scope::hold((to, msg), |(to, msg)| release::<A, T>(to, msg)).map_err(|(to, msg)| {
        let rejected = Rejected::Full(msg);
        send_error::<A, T, M>(&to, rejected)
    })
}

/// Delivers later. The sender has been told that it was sent: what cannot be delivered goes to dead letters.
fn release<A: Actor, T: Target<A>>(to: T, msg: A::Msg) -> Held {
    Box::new(move || {
        let name = A::message_name(&msg);
        let mut sending = Sending { to, ticket: None, actor: PhantomData::<fn() -> A> };
        let mut msg = Some(msg);
        Box::pin(async move {
            let Sending { to, ticket, .. } = &mut sending;
            let Err(rejected) = poll_fn(|cx| to.poll_send(cx, &mut msg, ticket)).await else { return };
            let reason = match rejected {
                Rejected::Full(_) => DeadReason::NoRoom,
                Rejected::Closed(_) => DeadReason::Stopped,
                Rejected::Unavailable { .. } => DeadReason::Unavailable,
            };
            to.env().dead_letters().record(reason, name, || address::<A, T>(to));
        })
    })
}

/// Leaves the line when it is dropped.
struct Sending<A: Actor, T: Target<A>> {
    to: T,
    ticket: Option<u64>,
    actor: PhantomData<fn() -> A>,
}

impl<A: Actor, T: Target<A>> Drop for Sending<A, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.to.cancel(ticket);
        }
    }
}

#[cold]
fn send_error<A: Handles<M>, T: Target<A>, M: Message>(to: &T, rejected: Rejected<A::Msg>) -> SendError<M> {
    let lost = |reason: &str| SendError::Lost { reason: reason.to_owned() };
    match rejected {
        Rejected::Full(msg) => match A::unwrap(msg) {
            Ok((msg, _)) => SendError::Full(msg),
            Err(_) => lost("there was no room for it"),
        },
        Rejected::Closed(msg) => {
            to.env().dead_letters().record(DeadReason::Stopped, type_name::<M>(), || address::<A, T>(to));
            match msg.map(A::unwrap) {
                Some(Ok((msg, _))) => SendError::Stopped(msg),
                Some(Err(_)) | None => lost("the actor has stopped"),
            }
        }
        Rejected::Unavailable { message, reason } => match message.map(A::unwrap) {
            Some(Ok((message, _))) => SendError::Unavailable { message, reason },
            Some(Err(_)) | None => SendError::Lost { reason },
        },
    }
}

/// The actor as dead letters call it.
fn address<A: Actor, T: Target<A>>(to: &T) -> String {
    address_of(A::NAME, to.name())
}

/// The actor as dead letters call it: its type, and its name if it has one.
pub(super) fn address_of(actor: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{actor} `{name}`"),
        None => actor.to_owned(),
    }
}
