//! The senders that wait for room, first come, first served.

use std::collections::VecDeque;
use std::task::{Context, Waker};

/// Senders in line with their messages. Their number is the number of tasks that wait: each holds one message.
pub(super) struct Waiting<T> {
    line: VecDeque<Waiter<T>>,
    /// The next ticket.
    next: u64,
    /// Every ticket below this was let in or cancelled.
    let_in: u64,
}

/// What became of a ticket.
pub(super) enum Place<T> {
    /// It waits.
    InLine,
    /// Its message is queued.
    LetIn,
    /// The mailbox closed before there was room.
    Refused(T),
}

struct Waiter<T> {
    ticket: u64,
    msg: T,
    waker: Waker,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { line: VecDeque::new(), next: 0, let_in: 0 }
    }
}

impl<T> Waiting<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Gets in line.
    pub(super) fn enlist(&mut self, msg: T, waker: Waker) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.line.push_back(Waiter { ticket, msg, waker });
        ticket
    }

    /// Leaves the line; `None` if the ticket is no longer in it.
    pub(super) fn remove(&mut self, ticket: u64) -> Option<T> {
        let at = self.position(ticket)?;
        self.line.remove(at).map(|waiter| waiter.msg)
    }

    /// Where the ticket is now; `None` if it was cancelled.
    pub(super) fn place(&mut self, ticket: u64, closed: bool, cx: &mut Context<'_>) -> Option<Place<T>> {
        if ticket < self.let_in {
            return Some(Place::LetIn);
        }
        if closed {
            return self.remove(ticket).map(Place::Refused);
        }
        let at = self.position(ticket)?;
        self.line.get_mut(at)?.waker.clone_from(cx.waker());
        Some(Place::InLine)
    }

    /// Moves up to `max` messages to `items`, and the wakers of their senders to `wakers`.
    pub(super) fn let_in(&mut self, max: usize, items: &mut Vec<T>, wakers: &mut Vec<Waker>) {
        let count = self.line.len().min(max);
        for waiter in self.line.drain(..count) {
            items.push(waiter.msg);
            wakers.push(waiter.waker);
            self.let_in = waiter.ticket + 1;
        }
    }

    pub(super) fn wakers(&self) -> Vec<Waker> {
        self.line.iter().map(|waiter| waiter.waker.clone()).collect()
    }

    fn position(&self, ticket: u64) -> Option<usize> {
        self.line.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()
    }
}
