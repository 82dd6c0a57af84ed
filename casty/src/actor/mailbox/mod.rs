//! A bounded mailbox: a `Vec` under a mutex, which the actor takes whole.
//!
//! A send takes the lock once. When the mailbox is full, a sender leaves its message in a second queue, under a ticket,
//! and is let in first come, first served; or what its [`Overflow`] says is done. At most the capacity and one batch in the
//! actor's hand are held, besides one message a waiting sender.

mod buffers;
mod waiting;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::{Mutex, MutexGuard};

use self::waiting::Waiting;

/// How many messages a mailbox holds, unless its actor was spawned with another number.
pub const MAILBOX_CAPACITY: usize = 1024;

/// What becomes of a message that finds a mailbox full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Its sender waits for room, in the order in which senders came. `try_send` fails.
    #[default]
    Wait,
    /// It is handed back: `send` fails with `SendError::Full` and an ask with `AskError::MailboxFull`.
    Fail,
    /// The message that has waited longest gives way to it, and goes to dead letters; who asked is told
    /// `AskError::MailboxFull`.
    DropOldest,
    /// It goes to dead letters. Its sender is told that it was sent; who asked is told `AskError::MailboxFull`.
    DropNewest,
}

/// The queue between the senders of one actor and its loop.
pub(crate) struct Mailbox<T> {
    queue: Mutex<Queue<T>>,
    capacity: u32,
    /// [`STOP`] and [`SIGNAL`]. Read before every message: they overtake what is queued.
    flags: AtomicU8,
    overflow: Overflow,
}

/// The receiver is to take no more.
const STOP: u8 = 1;
/// Something waits for the receiver beside the queue.
const SIGNAL: u8 = 2;

/// What a receiver finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// The batch holds messages, the oldest last: take them with `pop`.
    Batch,
    /// The mailbox is closed, and everything was taken.
    Closed,
    /// [`Mailbox::stop`] was called.
    Stop,
    /// [`Mailbox::signal`] was called.
    Signal,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused<T> {
    /// There is no room.
    Full(T),
    /// The mailbox is closed. The message is handed back unless it was used up.
    Closed(Option<T>),
    /// As far as its sender is concerned it was taken. This message had to go: itself, or an older one.
    Displaced(T),
}

struct Queue<T> {
    items: Vec<T>,
    /// Made for the first sender that has to wait.
    waiting: Option<Box<Waiting<T>>>,
    /// The receiver's.
    waker: Option<Waker>,
    /// The capacity; 0 when closed or while senders wait, so that one comparison tells the common case.
    limit: u32,
    /// How many messages the receiver took last. Small, so that a mailbox is too.
    taken: u16,
    /// Whether the receiver sleeps.
    parked: bool,
    closed: bool,
}

impl<T: Send + 'static> Mailbox<T> {
    /// An empty mailbox for `capacity` messages, at least one.
    pub(crate) fn new(capacity: usize, overflow: Overflow) -> Self {
        let capacity = u32::try_from(capacity.max(1)).unwrap_or(u32::MAX);
        let (items, waiting, waker) = (Vec::new(), None, None);
        let queue = Queue { items, waiting, waker, limit: capacity, taken: 0, parked: false, closed: false };
        Self { queue: Mutex::new(queue), capacity, flags: AtomicU8::new(0), overflow }
    }

    /// Queues `msg` if there is room and nobody waits.
    #[inline]
    pub(crate) fn try_send(&self, msg: T) -> Result<(), Refused<T>> {
        let queue = self.queue.lock();
        if queue.items.len() >= queue.limit as usize {
            return Err(self.refuse(queue, msg));
        }
        self.push(queue, msg);
        Ok(())
    }

    /// Queues `msg` whether or not there is room: for what the actor asked for itself, and so bounds. Handed back if the
    /// mailbox is closed.
    pub(crate) fn push_own(&self, msg: T) -> Result<(), T> {
        let queue = self.queue.lock();
        if queue.closed {
            return Err(msg);
        }
        self.push(queue, msg);
        Ok(())
    }

    /// Queues the message, or waits in line for room.
    ///
    /// `msg` is taken when it is queued or when it gets a ticket; with a ticket, poll again or [`cancel`](Self::cancel).
    /// An error hands the message back: the mailbox is closed.
    #[inline]
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<T>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Refused<T>>> {
        if let Some(number) = *ticket {
            return self.poll_ticket(cx, number, ticket);
        }
        let queue = self.queue.lock();
        if queue.items.len() >= queue.limit as usize {
            return self.enlist(queue, cx, msg, ticket);
        }
        if let Some(msg) = msg.take() {
            self.push(queue, msg);
        }
        Poll::Ready(Ok(()))
    }

    /// The sender went away: its message is handed back, unless it is queued already.
    #[cold]
    pub(crate) fn cancel(&self, ticket: u64) -> Option<T> {
        let mut queue = self.queue.lock();
        let Queue { waiting, limit, closed, .. } = &mut *queue;
        let waiting = waiting.as_mut()?;
        let msg = waiting.remove(ticket);
        // Nobody waits any more: the short way opens again, or everybody would wait for ever.
        if waiting.is_empty() && !*closed {
            *limit = self.capacity;
        }
        msg
    }

    /// Lets nothing more in. What is queued can still be taken; senders in line are told.
    pub(crate) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        queue.limit = 0;
        queue.parked = false;
        let receiver = queue.waker.clone();
        let senders = queue.waiting.as_ref().map(|waiting| waiting.wakers()).unwrap_or_default();
        drop(queue);
        receiver.into_iter().chain(senders).for_each(Waker::wake);
    }

    /// Closes, and tells the receiver to take no more.
    pub(crate) fn stop(&self) {
        self.flags.fetch_or(STOP, Ordering::Release);
        self.close();
    }

    /// Tells the receiver that something waits for it beside the queue.
    pub(crate) fn signal(&self) {
        self.flags.fetch_or(SIGNAL, Ordering::Release);
        let mut queue = self.queue.lock();
        queue.parked = false;
        let receiver = queue.waker.clone();
        drop(queue);
        receiver.into_iter().for_each(Waker::wake);
    }

    /// The receiver takes note of [`signal`](Self::signal), before it looks for what waits.
    pub(crate) fn take_signal(&self) {
        self.flags.fetch_and(!SIGNAL, Ordering::Acquire);
    }

    /// Whether [`stop`](Self::stop) was called.
    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & STOP != 0
    }

    /// Whether anything overtakes what is queued: a stop, or a signal.
    #[inline]
    pub(crate) fn is_interrupted(&self) -> bool {
        self.flags.load(Ordering::Relaxed) != 0
    }

    /// Ready when the receiver is interrupted, whatever is queued.
    pub(crate) fn poll_interrupted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue.lock();
        if self.is_interrupted() {
            return Poll::Ready(());
        }
        set_waker(&mut queue.waker, cx);
        Poll::Pending
    }

    /// Ready when the receiver is to stop, whatever is queued.
    pub(crate) fn poll_stopping(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue.lock();
        if self.is_stopping() {
            return Poll::Ready(());
        }
        set_waker(&mut queue.waker, cx);
        Poll::Pending
    }

    /// Whether anything more comes in.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.lock().closed
    }

    /// How many messages it holds.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// How many messages wait, those included that the receiver took last and may have handled in part.
    pub(crate) fn load(&self) -> usize {
        let queue = self.queue.lock();
        queue.items.len() + usize::from(queue.taken)
    }

    /// What `see` makes of every message that is queued, the oldest first.
    #[cfg(feature = "testkit")]
    pub(crate) fn queued<S>(&self, see: impl Fn(&T) -> S) -> Vec<S> {
        self.queue.lock().items.iter().map(see).collect()
    }

    /// Swaps what is queued into `batch`, which must be empty, and lets waiting senders in.
    #[inline]
    pub(crate) fn poll_recv(&self, cx: &mut Context<'_>, batch: &mut Vec<T>) -> Poll<Received> {
        let mut queue = self.queue.lock();
        // Read under the lock under which `close` and `signal` look for a sleeping receiver: none is slept through.
        if self.is_interrupted() {
            return Poll::Ready(if self.is_stopping() { Received::Stop } else { Received::Signal });
        }
        if queue.items.is_empty() {
            if queue.closed {
                return Poll::Ready(Received::Closed);
            }
            queue.taken = 0;
            park(queue, cx, batch);
            return Poll::Pending;
        }
        queue.taken = u16::try_from(queue.items.len()).unwrap_or(u16::MAX);
        std::mem::swap(&mut queue.items, batch);
        if queue.waiting.is_some() {
            self.let_in(queue);
        } else {
            drop(queue);
        }
        batch.reverse();
        Poll::Ready(Received::Batch)
    }

    /// Closes, and takes what nobody will handle any more.
    pub(crate) fn take_left(&self) -> Vec<T> {
        self.stop();
        std::mem::take(&mut self.queue.lock().items)
    }

    #[inline]
    fn push(&self, mut queue: MutexGuard<'_, Queue<T>>, msg: T) {
        if queue.items.len() == queue.items.capacity() {
            buffers::grow(&mut queue.items);
        }
        queue.items.push(msg);
        let waker = if std::mem::take(&mut queue.parked) { queue.waker.clone() } else { None };
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// There is no room for a message whose sender does not wait.
    #[cold]
    fn refuse(&self, mut queue: MutexGuard<'_, Queue<T>>, msg: T) -> Refused<T> {
        if queue.closed {
            return Refused::Closed(Some(msg));
        }
        match self.overflow {
            Overflow::DropNewest => Refused::Displaced(msg),
            Overflow::DropOldest if !queue.items.is_empty() => {
                let oldest = queue.items.remove(0);
                self.push(queue, msg);
                Refused::Displaced(oldest)
            }
            Overflow::Wait | Overflow::Fail | Overflow::DropOldest => Refused::Full(msg),
        }
    }

    #[cold]
    fn enlist(
        &self,
        mut queue: MutexGuard<'_, Queue<T>>,
        cx: &mut Context<'_>,
        msg: &mut Option<T>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Refused<T>>> {
        if queue.closed {
            return Poll::Ready(Err(Refused::Closed(msg.take())));
        }
        let Some(msg) = msg.take() else { return Poll::Ready(Ok(())) };
        if self.overflow != Overflow::Wait {
            return Poll::Ready(Err(self.refuse(queue, msg)));
        }
        queue.limit = 0;
        *ticket = Some(queue.waiting.get_or_insert_default().enlist(msg, cx.waker().clone()));
        Poll::Pending
    }

    #[cold]
    fn poll_ticket(&self, cx: &mut Context<'_>, number: u64, ticket: &mut Option<u64>) -> Poll<Result<(), Refused<T>>> {
        let mut queue = self.queue.lock();
        let closed = queue.closed;
        let place = queue.waiting.as_mut().and_then(|waiting| waiting.place(number, closed, cx));
        match place {
            Some(waiting::Place::InLine) => return Poll::Pending,
            Some(waiting::Place::LetIn) => *ticket = None,
            Some(waiting::Place::Refused(msg)) => {
                *ticket = None;
                return Poll::Ready(Err(Refused::Closed(Some(msg))));
            }
            // The ticket is of no one in line: it was cancelled.
            None => {
                *ticket = None;
                return Poll::Ready(Err(Refused::Closed(None)));
            }
        }
        Poll::Ready(Ok(()))
    }

    #[cold]
    fn let_in(&self, mut queue: MutexGuard<'_, Queue<T>>) {
        let Queue { items, waiting, closed, limit, .. } = &mut *queue;
        let Some(waiting) = waiting.as_mut().filter(|waiting| !*closed && !waiting.is_empty()) else { return };
        let mut wakers = buffers::wakers();
        waiting.let_in(self.capacity as usize, items, &mut wakers);
        *limit = if waiting.is_empty() { self.capacity } else { 0 };
        drop(queue);
        wakers.drain(..).for_each(Waker::wake);
        buffers::keep_wakers(wakers);
    }
}

/// The receiver goes to sleep. An idle actor keeps no burst's buffers.
fn park<T: 'static>(mut queue: MutexGuard<'_, Queue<T>>, cx: &mut Context<'_>, batch: &mut Vec<T>) {
    set_waker(&mut queue.waker, cx);
    queue.parked = true;
    if queue.items.capacity() == 0 {
        // One buffer goes to and fro; another would be kept for nothing.
        std::mem::swap(&mut queue.items, batch);
    }
    let large = buffers::is_large(&queue.items).then(|| std::mem::take(&mut queue.items));
    drop(queue);
    large.into_iter().for_each(buffers::keep);
    if buffers::is_large(batch) {
        buffers::keep(std::mem::take(batch));
    }
}

fn set_waker(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}
