//! Requests that are on their way at one time: issued in order, answered in any.

use std::future::Future;

use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};

/// Requests whose answers are waited for. The caller keeps their number within its window.
pub(super) struct Pump<T> {
    unanswered: FuturesUnordered<LocalBoxFuture<'static, T>>,
}

impl<T> Pump<T> {
    /// Without any request.
    pub(super) fn new() -> Self {
        Self { unanswered: FuturesUnordered::new() }
    }

    /// How many requests are unanswered.
    pub(super) fn len(&self) -> usize {
        self.unanswered.len()
    }

    /// Sends a request off, and returns its answer if that is there at once.
    ///
    /// A request leaves when it is polled first. That happens here, before the next one is issued, so requests leave in
    /// the order of the calls; and outside tokio's cooperative budget, which may otherwise postpone it.
    pub(super) fn issue(&mut self, request: impl Future<Output = T> + 'static) -> Option<T> {
        let mut request = tokio::task::unconstrained(request).boxed_local();
        let answer = (&mut request).now_or_never();
        if answer.is_none() {
            self.unanswered.push(request);
        }
        answer
    }

    /// An answer that has come already.
    pub(super) fn arrived(&mut self) -> Option<T> {
        self.unanswered.next().now_or_never().flatten()
    }

    /// Waits for the next answer. `None` if every request is answered.
    pub(super) async fn next(&mut self) -> Option<T> {
        self.unanswered.next().await
    }
}
