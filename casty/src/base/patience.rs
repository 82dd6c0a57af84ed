//! Time limits, one after the other, most of which are not reached.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// Stands for a time without an end.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// What [`tokio::time::timeout`] does, again and again.
///
/// A timer that is made, moved or dropped takes the lock of all timers. This one stays where it is when a wait ends in time,
/// and is moved when it goes off too early: once in a limit, however many waits there are. It is asked when it may have gone off,
/// or when it has to learn whom to wake.
#[derive(Default)]
pub(crate) struct Patience {
    timer: Option<Pin<Box<Sleep>>>,
    /// Whom the timer wakes.
    wakes: Option<Waker>,
}

/// The time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over;

impl Patience {
    /// Waits for `future`, for `max` at most from the moment at which it has to be waited for.
    pub(crate) async fn within<F: Future>(&mut self, max: Duration, future: F) -> Result<F::Output, Over> {
        let (mut future, mut until) = (pin!(future), None);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            let now = Instant::now();
            let until = *until.get_or_insert_with(|| now.checked_add(max.min(FAR)).unwrap_or(now));
            self.poll_reached(cx, now, until).map(|()| Err(Over))
        })
        .await
    }

    fn poll_reached(&mut self, cx: &mut Context<'_>, now: Instant, until: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        if now < timer.deadline() && self.wakes.as_ref().is_some_and(|wakes| wakes.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.wakes = Some(cx.waker().clone());
        // A timer that is asked within tokio's budget may learn nothing of whom to wake, for want of budget.
        while pin!(unconstrained(timer.as_mut())).poll(cx).is_ready() {
            if timer.deadline() >= until {
                return Poll::Ready(());
            }
            timer.as_mut().reset(until);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::consume_budget;
    use tokio::time::{sleep, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_the_whole_time() {
        let (mut patience, begun) = (Patience::default(), Instant::now());
        for _ in 0..3 {
            assert_eq!(patience.within(SECOND, sleep(SECOND * 9 / 10)).await, Ok(()));
        }
        assert_eq!(patience.within(SECOND, pending::<()>()).await, Err(Over));
        assert!(begun.elapsed().abs_diff(SECOND * 37 / 10) < Duration::from_millis(10), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_may_be_shorter_than_the_one_before() {
        let mut patience = Patience::default();
        assert_eq!(patience.within(Duration::MAX, sleep(SECOND)).await, Ok(()));
        let begun = Instant::now();
        assert_eq!(patience.within(SECOND, pending::<()>()).await, Err(Over));
        assert_eq!(patience.within(SECOND, pending::<()>()).await, Err(Over));
        assert!(begun.elapsed().abs_diff(2 * SECOND) < Duration::from_millis(10), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_that_begins_without_budget() {
        let mut patience = Patience::default();
        let spending = async {
            let spent = poll_fn(|cx| {
                while pin!(consume_budget()).poll(cx).is_ready() {}
                Poll::Ready(())
            });
            spent.await;
            patience.within(SECOND, pending::<()>()).await
        };
        let begun = Instant::now();
        // A timer that wakes nobody is found out when something else does.
        assert_eq!(timeout(2 * SECOND, spending).await, Ok(Err(Over)));
        assert!(begun.elapsed().abs_diff(SECOND) < Duration::from_millis(10), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_is_never_too_late() {
        let mut patience = Patience::default();
        assert_eq!(patience.within(SECOND, pending::<()>()).await, Err(Over));
        assert_eq!(patience.within(Duration::ZERO, async { 7 }).await, Ok(7));
    }
}
