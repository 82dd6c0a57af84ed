//! How fast bytes leave.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// How often a connection may send again.
const TICK: Duration = Duration::from_millis(10);

/// The pace of one connection: so many bytes a tick as the network allows each; 0 is as many as it likes.
pub(super) struct Pace {
    allowed: Arc<AtomicUsize>,
    left: usize,
    next: Pin<Box<Sleep>>,
}

impl Pace {
    pub(super) fn new(allowed: Arc<AtomicUsize>) -> Self {
        Self { allowed, left: 0, next: Box::pin(sleep(Duration::ZERO)) }
    }

    /// How many bytes a second are so many a tick.
    pub(super) fn a_tick(bytes_a_second: usize) -> usize {
        bytes_a_second / (Duration::from_secs(1).as_millis() / TICK.as_millis()) as usize
    }

    /// How many of `wanted` bytes may leave now. Ready when it is one at least.
    pub(super) fn poll(&mut self, wanted: usize, cx: &mut Context<'_>) -> Poll<usize> {
        let allowed = self.allowed.load(Ordering::Relaxed);
        if allowed == 0 {
            return Poll::Ready(wanted);
        }
        if self.left == 0 {
            std::task::ready!(self.next.as_mut().poll(cx));
            self.left = allowed;
            self.next.as_mut().reset(Instant::now() + TICK);
        }
        Poll::Ready(wanted.min(self.left))
    }

    /// So many have left.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}
