//! An ask on its way.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::cycles::{self, NOBODY};
use super::error::{AskError, AskFailure};
use super::remote::Sender;
use super::reply::{Answer, Due, Port, Wait, pair};
use super::scope::{self, Scope};
use super::{Actor, ActorRef, Handles, Message, Rejected, SendRequest, Target, meters};

/// A request: await it for the reply, or turn it into a [`send`](Self::send).
///
/// It is a plain future, so `join!`, `select!` and the like take it. Nothing is sent before it is polled. Dropped, it takes
/// a message back that still waits for room; one that was delivered is handled, and its reply is dropped.
#[must_use = "nothing is sent until it is awaited"]
pub struct Request<'a, A: Handles<M>, T: Target<A>, M> {
    to: &'a T,
    msg: Option<M>,
    from: Option<Sender>,
    timeout: Duration,
    wait: Option<Wait<A::Reply>>,
    ticket: Option<u64>,
    /// When it was first polled, if that is wanted.
    began: Option<Instant>,
    /// In an entity's handler: what has to happen before the message may leave.
    commit: Option<Box<Commit<A::Reply>>>,
    actor: PhantomData<fn() -> A>,
}

struct Commit<R: Send + 'static> {
    scope: Arc<dyn Scope>,
    ticket: Option<u64>,
    port: Port<R>,
}

impl<'a, A: Handles<M>, T: Target<A>, M> Request<'a, A, T, M> {
    /// A request for `to`, with its default for the time that it may take.
    #[inline]
    pub fn new(to: &'a T, msg: M) -> Self {
        let timeout = to.ask_timeout();
        let actor = PhantomData;
        Self { to, msg: Some(msg), from: None, timeout, wait: None, ticket: None, began: None, commit: None, actor }
    }
}

impl<'a, A: Handles<M>, T: Target<A>, M: Message> Request<'a, A, T, M> {
    /// Waits so long for the reply, waiting for room in the mailbox included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Tells the handler who asks; it reads it with [`Ctx::sender`](super::Ctx::sender). To an actor of another node this is to
    /// send a reference: [`ActorRef`] says what that means for the sender's life. One that is `#[actor(local)]` is not named there.
    pub fn from<B: Actor>(mut self, sender: &ActorRef<B>) -> Self {
        self.from = Some(Sender::new(sender));
        self
    }

    /// Sends the message without wanting a reply. Ready when the message is queued.
    #[inline]
    pub fn send(mut self) -> SendRequest<'a, A, T, M> {
        let msg = self.msg.take().map(|msg| A::wrap(msg, Port::none().with_sender(self.from.take())));
        SendRequest::new(self.to, msg)
    }

    /// Makes the reply's slot, and the message unless it has to wait for a commit.
    #[inline]
    fn start(&mut self) -> Result<Option<A::Msg>, AskFailure> {
        if self.to.env().times_asks() {
            self.began = Some(Instant::now());
        }
        let (port, wait) = pair(self.to.env().sweeper(), Due::after(self.timeout));
        let asker = cycles::current();
        if asker != NOBODY {
            declare::<A, T, A::Reply>(self.to, &wait, asker)?;
        }
        self.wait = Some(wait);
        Ok(match scope::current() {
            Some(scope) => {
                self.commit = Some(Box::new(Commit { scope, ticket: None, port }));
                None
            }
            None => self.wrap(port),
        })
    }

    #[inline]
    fn wrap(&mut self, port: Port<A::Reply>) -> Option<A::Msg> {
        let port = port.with_sender(self.from.take());
        self.msg.take().map(|msg| A::wrap(msg, port))
    }

    /// Waits until the entity that asks has its earlier writes committed, or the time is over.
    #[cold]
    fn poll_commit(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<A::Msg>, AskFailure>> {
        let Some(commit) = &mut self.commit else { return Poll::Ready(Ok(None)) };
        if let Poll::Ready(committed) = commit.scope.poll_committed(cx, &mut commit.ticket) {
            let port = self.commit.take().map(|commit| commit.port);
            committed?;
            return Poll::Ready(Ok(port.and_then(|port| self.wrap(port))));
        }
        match self.wait.as_mut().map(|wait| wait.poll(cx)) {
            Some(Poll::Ready(_)) => {
                let reason =
                    format!("the earlier writes of the asking entity were not committed in {:?}", self.timeout);
                Poll::Ready(Err(AskFailure::Unavailable { reason }))
            }
            _ => Poll::Pending,
        }
    }
}

impl<A: Handles<M>, T: Target<A>, M: Message> Future for Request<'_, A, T, M> {
    type Output = Result<A::Ok, AskError<A::Error>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = self.get_mut();
        let mut first = None;
        if me.wait.is_none() && me.msg.is_some() {
            first = match me.start() {
                Ok(first) => first,
                Err(failure) => {
                    (me.msg, me.wait) = (None, None);
                    me.meter(failure.name());
                    return Poll::Ready(Err(failure.into()));
                }
            };
        }
        if me.commit.is_some() {
            match ready!(me.poll_commit(cx)) {
                Ok(msg) => first = msg,
                Err(failure) => {
                    (me.msg, me.commit, me.wait) = (None, None, None);
                    me.meter(failure.name());
                    return Poll::Ready(Err(failure.into()));
                }
            }
        }
        let reply = ready!(poll_ask::<A, T, A::Reply>(me.to, &mut first, &mut me.ticket, &mut me.wait, me.timeout, cx));
        Poll::Ready(match reply {
            Ok(reply) => {
                let outcome = A::outcome(reply).map_err(AskError::Handler);
                me.meter(if outcome.is_ok() { "replied" } else { "handler_error" });
                outcome
            }
            Err(failure) => {
                me.meter(failure.name());
                Err(failure.into())
            }
        })
    }
}

impl<A: Handles<M>, T: Target<A>, M> Request<'_, A, T, M> {
    /// It has ended, if it is not over already.
    #[inline]
    fn meter(&mut self, outcome: &'static str) {
        if let Some(began) = self.began.take() {
            meters::ask(self.to.env().system(), A::NAME, outcome, began.elapsed());
        }
    }
}

impl<A: Handles<M>, T: Target<A>, M> Drop for Request<'_, A, T, M> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.to.cancel(ticket);
        }
        self.meter("dropped");
    }
}

impl<A: Handles<M>, T: Target<A>, M> Unpin for Request<'_, A, T, M> {}

/// The part that does not know the message: where nothing is inlined, there is one copy for every actor and reply type.
#[inline]
fn poll_ask<A: Actor, T: Target<A>, R: Send + 'static>(
    to: &T,
    first: &mut Option<A::Msg>,
    ticket: &mut Option<u64>,
    wait: &mut Option<Wait<R>>,
    timeout: Duration,
    cx: &mut Context<'_>,
) -> Poll<Result<R, AskFailure>> {
    if (first.is_some() || ticket.is_some())
        && let Poll::Ready(Err(rejected)) = to.poll_send(cx, first, ticket)
    {
        *wait = None;
        return Poll::Ready(Err(failure(rejected)));
    }
    // The slot is watched also while the message waits for room: the time counts from the beginning.
    let Some(waiting) = wait else { return Poll::Pending };
    let answer = ready!(waiting.poll(cx));
    *wait = None;
    Poll::Ready(match answer {
        Answer::Value(reply) => Ok(reply),
        Answer::Failure(failure) => Err(*failure),
        Answer::Overdue => Err(overdue::<A, T>(to, ticket, timeout)),
    })
}

/// The time is over, and there is no reply.
#[cold]
fn overdue<A: Actor, T: Target<A>>(to: &T, ticket: &mut Option<u64>, timeout: Duration) -> AskFailure {
    // Taken back, it is certain not to be handled. It may have been let in this very moment.
    match ticket.take().is_some_and(|ticket| to.cancel(ticket)) {
        true => AskFailure::MailboxFull,
        false => AskFailure::Timeout { after: timeout },
    }
}

/// Says that the actor whose handler asks will wait. An error: then it would wait for itself.
fn declare<A: Actor, T: Target<A>, R: Send + 'static>(to: &T, wait: &Wait<R>, asker: u64) -> Result<(), AskFailure> {
    let Some(asked) = to.local() else { return Ok(()) };
    let asked = asked.cell();
    wait.declare(asker, asked.waiting_key()).map_err(|path| AskFailure::Cycle { path: asked.describe(&path) })
}

#[cold]
fn failure<M>(rejected: Rejected<M>) -> AskFailure {
    match rejected {
        Rejected::Full(_) => AskFailure::MailboxFull,
        Rejected::Closed(_) => AskFailure::Stopped,
        Rejected::Unavailable { reason, .. } => AskFailure::Unavailable { reason },
    }
}
