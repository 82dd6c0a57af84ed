//! The hook by which an entity's handler is kept from showing effects before they are committed.
//!
//! While the handler's future is polled, a [`Scope`] is set for the thread. What the handler sends is handed to the scope
//! and delivered after the commit; what it asks waits until the entity's earlier writes are committed.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::error::AskFailure;

/// How many messages one run of a handler may send. More fail with `SendError::Full`.
pub const HELD_MAX: usize = 1024;

/// A message that was sent and not yet delivered. Calling it delivers; what cannot be delivered goes to dead letters.
pub type Held = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What stands between a handler and the world.
pub trait Scope: Send + Sync {
    /// Keeps a message until it may be delivered. Called at most [`HELD_MAX`] times in one run of a handler.
    fn hold(&self, held: Held);

    /// Ready when what the entity wrote before is committed, or never will be. `ticket` belongs to the caller's wait: it
    /// starts as `None` and is handed back on every poll.
    fn poll_committed(&self, cx: &mut Context<'_>, ticket: &mut Option<u64>) -> Poll<Result<(), AskFailure>>;
}

/// Runs `future` with `scope` set around each poll.
pub(crate) fn enter<F: Future>(scope: Arc<dyn Scope>, future: F) -> Scoped<F> {
    Scoped { frame: Some(Frame { scope, held: 0 }), future: Box::pin(future) }
}

/// The scope of the handler that is being polled on this thread.
pub(crate) fn current() -> Option<Arc<dyn Scope>> {
    with_frame(|frame| Arc::clone(&frame.scope))
}

/// Whether an entity's handler is being polled on this thread.
#[inline]
pub(crate) fn is_nested() -> bool {
    with_frame(|_| ()).is_some()
}

/// Hands what `held` makes to the current scope; `Err` if it took its fill already.
///
/// Call it where [`is_nested`] holds; elsewhere nobody takes it.
pub(super) fn hold<T>(message: T, held: impl FnOnce(T) -> Held) -> Result<(), T> {
    let scope = with_frame(|frame| {
        let room = frame.held < HELD_MAX;
        frame.held += usize::from(room);
        room.then(|| Arc::clone(&frame.scope))
    });
    match scope.flatten() {
        Some(scope) => {
            scope.hold(held(message));
            Ok(())
        }
        None => Err(message),
    }
}

/// Publishes at once, or in an entity's handler after its commit: then there is nothing to tell yet. A handler that sends more
/// than it may publishes nothing.
pub(crate) fn publish<M: Send + 'static, R>(msg: M, publish: impl FnOnce(M) -> R + Send + 'static) -> Option<R> {
    if !is_nested() {
        return Some(publish(msg));
    }
    let held = move || -> Pin<Box<dyn Future<Output = ()> + Send>> {
        drop(publish(msg));
        Box::pin(std::future::ready(()))
    };
    let _too_many = hold(held, |held| Box::new(held) as Held);
    None
}

/// The future of [`enter`].
pub(crate) struct Scoped<F> {
    /// In the thread's place while the future is polled.
    frame: Option<Frame>,
    future: Pin<Box<F>>,
}

struct Frame {
    scope: Arc<dyn Scope>,
    held: usize,
}

thread_local! {
    static FRAME: RefCell<Option<Frame>> = const { RefCell::new(None) };
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = &mut *self;
        let _entered = Entered { outer: swap(me.frame.take()), frame: &mut me.frame };
        me.future.as_mut().poll(cx)
    }
}

/// Puts things back, also when the handler panics.
struct Entered<'a> {
    outer: Option<Frame>,
    frame: &'a mut Option<Frame>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.frame = swap(self.outer.take());
    }
}

fn swap(frame: Option<Frame>) -> Option<Frame> {
    FRAME.try_with(|place| place.replace(frame)).ok().flatten()
}

#[inline]
fn with_frame<T>(f: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    FRAME.try_with(|place| place.try_borrow_mut().ok()?.as_mut().map(f)).ok().flatten()
}
