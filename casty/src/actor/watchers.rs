//! Who waits for an actor to stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::lock::lock;

/// The tasks that wait for one actor's end. Their number is the number of waiting tasks: each leaves when it is dropped.
#[derive(Default)]
pub(super) struct Watchers(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Nobody,
    /// Boxed, since most actors are watched by nobody.
    Waiting(Box<Waiting>),
    Ended,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    wakers: Vec<(u64, Waker)>,
}

impl Watchers {
    /// Ready when the actor has stopped.
    pub(super) fn ended(&self) -> Ended<'_> {
        Ended { watchers: self, ticket: None }
    }

    /// Tells everybody, now and later.
    pub(super) fn end(&self) {
        let state = std::mem::replace(&mut *lock(&self.0), State::Ended);
        if let State::Waiting(waiting) = state {
            waiting.wakers.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}

/// The future of [`Watchers::ended`].
pub(super) struct Ended<'a> {
    watchers: &'a Watchers,
    ticket: Option<u64>,
}

impl Future for Ended<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.watchers.0);
        if let State::Nobody = *state {
            *state = State::Waiting(Box::default());
        }
        let State::Waiting(waiting) = &mut *state else { return Poll::Ready(()) };
        match waiting.wakers.iter_mut().find(|(ticket, _)| Some(*ticket) == self.ticket) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => {
                let ticket = waiting.next;
                waiting.next += 1;
                waiting.wakers.push((ticket, cx.waker().clone()));
                drop(state);
                self.ticket = Some(ticket);
            }
        }
        Poll::Pending
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let Some(mine) = self.ticket else { return };
        if let State::Waiting(waiting) = &mut *lock(&self.watchers.0) {
            waiting.wakers.retain(|(ticket, _)| *ticket != mine);
        }
    }
}
