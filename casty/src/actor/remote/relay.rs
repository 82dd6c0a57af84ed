//! The line of messages from other nodes before a mailbox that is full.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::time::{Instant, timeout_at};

use super::exported::Export;
use crate::actor::cell::Local;
use crate::actor::dead_letters::DeadReason;
use crate::actor::reply::drop_displaced;
use crate::actor::{Actor, Registered, Rejected, Target};
use crate::base::NodeKey;

/// The most messages that wait before one mailbox. Peers stop long before, since each has a window of its own; a peer that
/// does not loses what is beyond.
const LINE_MAX: usize = 64 << 10;

/// After so many messages a peer is told that they were taken. A quarter of its window: it need not stop for the word.
const TAKEN_STEP: u64 = super::WINDOW / 4;

/// What waits before a mailbox, and how far each peer was told that its messages were taken.
pub(super) struct Relay<A: Registered> {
    line: VecDeque<Waiting<A>>,
    /// A task lets the line in.
    running: bool,
    /// As many as peers have sent, which live.
    told: Vec<(NodeKey, u64)>,
}

/// A message in line.
pub(super) struct Waiting<A: Actor> {
    pub(super) msg: Option<A::Msg>,
    /// Its place in the mailbox's own line.
    pub(super) ticket: Option<u64>,
    pub(super) deadline: Option<Instant>,
    pub(super) from: NodeKey,
    pub(super) sequence: u64,
}

impl<A: Registered> Default for Relay<A> {
    fn default() -> Self {
        Self { line: VecDeque::new(), running: false, told: Vec::new() }
    }
}

impl<A: Registered> Relay<A> {
    /// A message was taken. Says up to which one the peer is to be told so, if it is time.
    pub(super) fn taken(&mut self, from: NodeKey, sequence: u64) -> Option<u64> {
        let at = self.told.iter().position(|(peer, _)| *peer == from).unwrap_or_else(|| {
            self.told.push((from, sequence));
            self.told.len() - 1
        });
        let (_, told) = self.told.get_mut(at)?;
        if sequence < *told {
            // The peer has begun to count anew.
            *told = sequence;
        }
        (sequence - *told >= TAKEN_STEP).then(|| {
            *told = sequence;
            sequence
        })
    }

    /// The peer is gone for good.
    pub(super) fn forget(&mut self, peer: NodeKey) {
        self.told.retain(|(known, _)| *known != peer);
    }
}

impl<A: Registered> Export<A> {
    /// Puts a message into the mailbox, or in line.
    pub(super) fn enter(self: Arc<Self>, mut waiting: Waiting<A>) {
        let (from, sequence) = (waiting.from, waiting.sequence);
        let mut relay = self.relay.lock();
        if relay.running {
            if relay.line.len() < LINE_MAX {
                relay.line.push_back(waiting);
                return;
            }
            drop(relay);
            if let Some(msg) = waiting.msg {
                self.local.cell().displace(msg);
            }
            return;
        }
        let mut nobody = Context::from_waker(Waker::noop());
        match Target::<A>::poll_send(&self.local, &mut nobody, &mut waiting.msg, &mut waiting.ticket) {
            Poll::Ready(sent) => {
                let due = relay.taken(from, sequence);
                drop(relay);
                self.settle(sent);
                self.acknowledge(from, due);
            }
            Poll::Pending => {
                relay.line.push_back(waiting);
                relay.running = true;
                drop(relay);
                tokio::spawn(self.let_in());
            }
        }
    }

    /// Lets the line in, until it is empty.
    async fn let_in(self: Arc<Self>) {
        while let Some(mut waiting) = self.next() {
            let Waiting { msg, ticket, deadline, from, sequence } = &mut waiting;
            // Leaves the mailbox's line also if the runtime drops this task.
            let mut place = Place { local: &self.local, ticket: ticket.take() };
            let sending = poll_fn(|cx| Target::<A>::poll_send(&self.local, cx, msg, &mut place.ticket));
            let sent = match *deadline {
                Some(deadline) => timeout_at(deadline, sending).await,
                None => Ok(sending.await),
            };
            match sent {
                Ok(sent) => self.settle(sent),
                Err(_overdue) => place.leave(),
            }
            let due = self.relay.lock().taken(*from, *sequence);
            self.acknowledge(*from, due);
        }
    }

    fn next(&self) -> Option<Waiting<A>> {
        let mut relay = self.relay.lock();
        let next = relay.line.pop_front();
        relay.running = next.is_some();
        next
    }

    /// What becomes of a message that was rejected. Its asker is told as it is dropped.
    fn settle(&self, sent: Result<(), Rejected<A::Msg>>) {
        let Err(rejected) = sent else { return };
        let letters = Target::<A>::env(&self.local).dead_letters();
        match rejected {
            Rejected::Full(msg) => {
                letters.record(DeadReason::NoRoom, A::message_name(&msg), || self.local.cell().address());
                drop_displaced(msg);
            }
            Rejected::Closed(Some(msg)) => {
                letters.record(DeadReason::Stopped, A::message_name(&msg), || self.local.cell().address());
            }
            Rejected::Closed(None) | Rejected::Unavailable { .. } => {}
        }
    }

    /// Tells a peer that its messages were taken.
    pub(super) fn acknowledge(&self, from: NodeKey, due: Option<u64>) {
        if let Some(sequence) = due
            && let Some(exchange) = Target::<A>::env(&self.local).exchange()
        {
            exchange.taken(from, self.local.cell().number, sequence);
        }
    }
}

/// A place in a mailbox's own line.
struct Place<'a, A: Actor> {
    local: &'a Local<A>,
    ticket: Option<u64>,
}

impl<A: Actor> Place<'_, A> {
    /// Nobody waits for the message any more: it is not handled, if it was not let in this very moment.
    fn leave(&mut self) {
        if let Some(msg) = self.ticket.take().and_then(|ticket| self.local.cell().mailbox.cancel(ticket)) {
            self.local.cell().displace(msg);
        }
    }
}

impl<A: Actor> Drop for Place<'_, A> {
    fn drop(&mut self) {
        self.leave();
    }
}
