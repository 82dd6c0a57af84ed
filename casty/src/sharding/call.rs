//! One call to an entity that holds its reference itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::actor::{AskError, Handles, SendError};

/// How one call ends, boxed: it keeps the reference that the request borrows.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The future of [`Sharded::ask`](super::Sharded::ask).
///
/// It is a type with a name, and not an `async fn`'s, so that a message without a handler is one error and not three.
#[must_use = "nothing is sent until it is awaited"]
pub struct AskEntity<A: Handles<M>, M>(Boxed<Result<A::Ok, AskError<A::Error>>>);

/// The future of [`Sharded::send`](super::Sharded::send).
#[must_use = "nothing is sent until it is awaited"]
pub struct SendEntity<M>(Boxed<Result<(), SendError<M>>>);

impl<A: Handles<M>, M> AskEntity<A, M> {
    pub(super) fn new(asking: impl Future<Output = Result<A::Ok, AskError<A::Error>>> + Send + 'static) -> Self {
        Self(Box::pin(asking))
    }
}

impl<M> SendEntity<M> {
    pub(super) fn new(sending: impl Future<Output = Result<(), SendError<M>>> + Send + 'static) -> Self {
        Self(Box::pin(sending))
    }
}

impl<A: Handles<M>, M> Future for AskEntity<A, M> {
    type Output = Result<A::Ok, AskError<A::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<M> Future for SendEntity<M> {
    type Output = Result<(), SendError<M>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<A: Handles<M>, M> fmt::Debug for AskEntity<A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskEntity").field("actor", &A::NAME).finish_non_exhaustive()
    }
}

impl<M> fmt::Debug for SendEntity<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendEntity").finish_non_exhaustive()
    }
}
