//! The way of messages to one actor of another node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::hub::Hub;
use super::protocol::{Asked, Head, Word};
use super::watches;
use crate::actor::registration::Outbound;
use crate::actor::remote::{Address, WINDOW};
use crate::actor::{AskFailure, Ended, Env, Rejected, Route};
use crate::cluster::SendFailure;
use crate::wire::Kind;

/// The way of messages to one actor of another node: one for all references that this node has to it. Senders that find no
/// room wait in line, first come, first served.
pub(crate) struct Channel {
    hub: Arc<Hub>,
    address: Address,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many messages were queued for the link.
    sent: u64,
    /// How many of them were taken by the actor, or are lost.
    taken: u64,
    /// The actor has stopped.
    ended: bool,
    next: u64,
    /// By ticket. One message a sender that waits.
    line: BTreeMap<u64, InLine>,
    /// What has left the line without being sent, for its sender.
    refused: BTreeMap<u64, Rejected<Outbound>>,
}

struct InLine {
    message: Outbound,
    waker: Waker,
}

/// Why a message has not left.
enum Held {
    /// The window is full, or the link: later.
    NoRoom(Outbound),
    /// It will not.
    Refused(Rejected<Outbound>),
}

impl Channel {
    pub(super) fn new(hub: Arc<Hub>, address: Address) -> Self {
        // What is not there is of this node has stopped.
        let ended = address.node == hub.me();
        Self { hub, address, state: Mutex::new(State { ended, ..State::default() }) }
    }

    /// The actor has taken all messages up to this one.
    pub(super) fn taken(&self, sequence: u64) {
        let mut state = self.state.lock();
        // Messages are numbered from 0.
        let taken = sequence.saturating_add(1).min(state.sent);
        state.taken = state.taken.max(taken);
        self.let_in(state);
    }

    /// There may be room on the link.
    pub(super) fn room(&self) {
        self.let_in(self.state.lock());
    }

    /// The actor has stopped.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        self.clear(state, |message| Rejected::Closed(Some(message)), AskFailure::Stopped);
    }

    /// What is under way is lost, and what waits does not leave.
    pub(super) fn lost(&self, why: &str) {
        let mut state = self.state.lock();
        state.taken = state.sent;
        let refuse = |message| Rejected::Unavailable { message: Some(message), reason: why.to_owned() };
        self.clear(state, refuse, AskFailure::Unavailable { reason: why.to_owned() });
    }

    /// Nobody in line waits any more.
    fn clear(
        &self,
        mut state: MutexGuard<'_, State>,
        refuse: impl Fn(Outbound) -> Rejected<Outbound>,
        failure: AskFailure,
    ) {
        let mut wakers = Vec::new();
        let mut asks = Vec::new();
        for (ticket, InLine { mut message, waker }) in std::mem::take(&mut state.line) {
            match message.reply.take() {
                Some(slot) => asks.push(slot),
                None => _ = state.refused.insert(ticket, refuse(message)),
            }
            wakers.push(waker);
        }
        drop(state);
        asks.iter().for_each(|slot| slot.fail(failure.clone()));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Sends what is first in line, as long as there is room.
    fn let_in(&self, mut state: MutexGuard<'_, State>) {
        let mut wakers = Vec::new();
        while let Some((ticket, InLine { message, waker })) = state.line.pop_first() {
            match self.leave(&mut state, message) {
                Ok(()) => {}
                Err(Held::NoRoom(message)) => {
                    state.line.insert(ticket, InLine { message, waker });
                    break;
                }
                Err(Held::Refused(rejected)) => _ = state.refused.insert(ticket, rejected),
            }
            wakers.push(waker);
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Queues a message for the link. Under the lock of the state: their order is that of their numbers.
    fn leave(&self, state: &mut State, mut message: Outbound) -> Result<(), Held> {
        if state.ended {
            return Err(Held::Refused(Rejected::Closed(Some(message))));
        }
        if state.sent - state.taken >= WINDOW {
            return Err(Held::NoRoom(message));
        }
        let node = self.address.node;
        let ask = match self.ask(&mut message) {
            Ok(ask) => ask,
            Err(held) => return Err(held(message)),
        };
        let (number, sequence, tag) = (self.address.number, state.sent, message.tag);
        let head = Head { number, sequence, tag, ask, sender: message.sender.take() };
        let sent = self.hub.links().send(node, Kind::CALL, &mut |out| head.encode(&message.body, out));
        let failure = match sent {
            Ok(()) => {
                state.sent += 1;
                return Ok(());
            }
            Err(failure) => failure,
        };
        message.sender = head.sender;
        if let Some(Asked { id, .. }) = ask {
            match self.hub.asks.end(id, node) {
                Some(slot) => message.reply = Some(slot),
                // The link broke this very moment, and the asker was told.
                None => return Ok(()),
            }
        }
        Err(match failure {
            SendFailure::Full { .. } => {
                self.hub.wait_for_room(node);
                Held::NoRoom(message)
            }
            failure => Held::Refused(self.unavailable(message, &failure.to_string())),
        })
    }

    /// Enters an ask into the table. Its link may break from then on: it is told.
    fn ask(&self, message: &mut Outbound) -> Result<Option<Asked>, fn(Outbound) -> Held> {
        let Some(slot) = message.reply.take() else { return Ok(None) };
        let node = self.address.node;
        let within_ms = slot.deadline().map_or(0, |deadline| {
            u64::try_from(deadline.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u64::MAX)
        });
        let id = match self.hub.asks.begin(node, slot) {
            Ok(id) => id,
            Err(slot) => {
                message.reply = Some(slot);
                return Err(|message| Held::Refused(Rejected::Full(message)));
            }
        };
        // Not before it is in the table, or a link that breaks in between would tell nobody.
        if self.hub.links().is_linked(node) {
            return Ok(Some(Asked { id, within_ms: within_ms.max(1) }));
        }
        message.reply = self.hub.asks.end(id, node);
        Err(|message| {
            let reason = "there is no link to its node at the moment, or none back".to_owned();
            Held::Refused(Rejected::Unavailable { message: Some(message), reason })
        })
    }

    fn unavailable(&self, message: Outbound, why: &str) -> Rejected<Outbound> {
        Rejected::Unavailable { message: Some(message), reason: format!("{} cannot be reached: {why}", self.address) }
    }
}

impl Route for Channel {
    fn poll_submit(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outbound>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<Outbound>>> {
        let mut state = self.state.lock();
        if let Some(waiting) = *ticket {
            if let Some(in_line) = state.line.get_mut(&waiting) {
                in_line.waker.clone_from(cx.waker());
                return Poll::Pending;
            }
            *ticket = None;
            return Poll::Ready(state.refused.remove(&waiting).map_or(Ok(()), Err));
        }
        let Some(message) = message.take() else { return Poll::Ready(Ok(())) };
        let message = match state.line.is_empty() {
            false => message,
            true => match self.leave(&mut state, message) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(Held::Refused(rejected)) => return Poll::Ready(Err(rejected)),
                Err(Held::NoRoom(message)) => message,
            },
        };
        let number = state.next;
        state.next += 1;
        state.line.insert(number, InLine { message, waker: cx.waker().clone() });
        *ticket = Some(number);
        Poll::Pending
    }

    fn try_submit(&self, message: Outbound) -> Result<(), Rejected<Outbound>> {
        let mut state = self.state.lock();
        if !state.line.is_empty() {
            return Err(Rejected::Full(message));
        }
        self.leave(&mut state, message).map_err(|held| match held {
            Held::NoRoom(message) => Rejected::Full(message),
            Held::Refused(rejected) => rejected,
        })
    }

    fn cancel(&self, ticket: u64) -> bool {
        let mut state = self.state.lock();
        let left = (state.line.remove(&ticket), state.refused.remove(&ticket));
        drop(state);
        left.0.is_some() || left.1.is_some()
    }

    fn env(&self) -> &Env {
        self.hub.env()
    }

    fn name(&self) -> Option<&str> {
        self.address.name.as_deref()
    }

    fn address(&self) -> Option<Address> {
        Some(self.address.clone())
    }

    fn stop(&self) {
        self.hub.word(self.address.node, &Word::Stop { number: self.address.number });
    }

    fn drain(&self) {
        self.hub.word(self.address.node, &Word::Drain { number: self.address.number });
    }

    fn is_over(&self) -> bool {
        self.state.lock().ended
    }

    fn ended(&self) -> Ended<'static> {
        let (hub, Address { node, number, .. }) = (&self.hub, &self.address);
        let ended = self.state.lock().ended;
        match ended && *node == hub.me() {
            true => {
                let reason = hub.exports.reason(*number);
                Box::pin(std::future::ready(reason))
            }
            false => Box::pin(watches::ended(Arc::clone(hub), *node, *number)),
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.hub.forget(self.address.node, self.address.number);
    }
}
