//! The pace of clients.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio::time::{Instant, sleep};

use super::clock::STEP;

/// How often a client is polled before time passes.
const POLLS_MAX: u32 = 1_000;

/// Runs a client's task at a limited pace. Nothing that it does takes simulated time by itself: one that asks again,
/// without a pause, what is refused at once would keep its step from ending.
pub(super) async fn paced<T>(mut task: Pin<Box<dyn Future<Output = T> + Send>>) -> T {
    let (mut step, mut polls) = (Instant::now(), 0);
    loop {
        let polled = poll_fn(|cx| {
            if step != Instant::now() {
                (step, polls) = (Instant::now(), 0);
            }
            if polls == POLLS_MAX {
                return Poll::Ready(None);
            }
            polls += 1;
            task.as_mut().poll(cx).map(Some)
        });
        match polled.await {
            Some(result) => return result,
            None => sleep(STEP).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_passes_for_a_task_that_never_waits() {
        let begin = Instant::now();
        let rounds = paced(Box::pin(async move {
            let mut rounds = 0;
            while begin.elapsed() < Duration::from_millis(10) {
                tokio::task::yield_now().await;
                rounds += 1;
            }
            rounds
        }));
        assert_eq!(rounds.await, 10 * POLLS_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_waits_is_not_held_up() {
        let begin = Instant::now();
        paced(Box::pin(sleep(Duration::from_micros(2_500)))).await;
        assert!(begin.elapsed() < Duration::from_millis(4), "{:?}", begin.elapsed());
    }
}
