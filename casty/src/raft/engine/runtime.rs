//! The runtime of the consensus library: tokio, with random numbers that a simulation can seed, and clocks that tick together.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use openraft::impls::TokioRuntime;
use openraft::{AsyncRuntime, Instant as _, OptionalSend};

use crate::base::ThreadRng;

/// Clocks tick at multiples of this, counted from the first tick of the process. It is the period with which the library looks at
/// elections and heartbeats, where these have their default.
///
/// Each group has a clock of its own. If each ticked in its own time, a node of 13 groups would wake 650 times a second, which is
/// most of what a node does while nobody uses it.
const BEAT: Duration = Duration::from_millis(20);

/// What waits for less is no clock: the library lets what follows catch up.
const CATCH_UP: Duration = Duration::from_micros(100);

type Instant = <TokioRuntime as AsyncRuntime>::Instant;

/// [`TokioRuntime`] in everything but the election timeouts that it draws, and when clocks tick.
#[derive(Debug)]
pub(super) struct Runtime(TokioRuntime);

impl AsyncRuntime for Runtime {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::JoinHandle<T>;
    type Sleep = <TokioRuntime as AsyncRuntime>::Sleep;
    type Instant = Instant;
    type TimeoutError = <TokioRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = <TokioRuntime as AsyncRuntime>::Timeout<R, T>;
    type ThreadLocalRng = ThreadRng;
    type Mpsc = <TokioRuntime as AsyncRuntime>::Mpsc;
    type Watch = <TokioRuntime as AsyncRuntime>::Watch;
    type Oneshot = <TokioRuntime as AsyncRuntime>::Oneshot;
    type Mutex<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::Mutex<T>;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        TokioRuntime::spawn(future)
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        TokioRuntime::sleep(duration)
    }

    fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        // In a simulation no two runtimes have a beginning in common, and a run has to be the same again.
        if ThreadRng::is_seeded() {
            return TokioRuntime::sleep_until(deadline);
        }
        let now = Instant::now();
        TokioRuntime::sleep_until(on_the_beat(deadline, now, *FIRST.get_or_init(|| now)))
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(duration: Duration, future: F) -> Self::Timeout<R, F> {
        TokioRuntime::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(deadline: Self::Instant, future: F) -> Self::Timeout<R, F> {
        TokioRuntime::timeout_at(deadline, future)
    }

    fn is_panic(join_error: &Self::JoinError) -> bool {
        TokioRuntime::is_panic(join_error)
    }

    fn thread_rng() -> ThreadRng {
        ThreadRng
    }

    fn new(threads: usize) -> Self {
        Self(TokioRuntime::new(threads))
    }

    fn block_on<F, T>(&mut self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        self.0.block_on(future)
    }
}

/// The first beat, counted from `first`, that is not before `deadline`.
fn on_the_beat(deadline: Instant, now: Instant, first: Instant) -> Instant {
    // A clock that stands still may be behind the first tick of one that goes.
    if deadline < now + CATCH_UP || now < first {
        return deadline;
    }
    let nanos = (deadline - first).as_nanos() as u64;
    first + Duration::from_nanos(nanos.next_multiple_of(BEAT.as_nanos() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_tick_together_and_never_early() {
        let first = Instant::now();
        let after = |micros| first + Duration::from_micros(micros);
        for (deadline, beat) in [(20_000, 20_000), (20_001, 40_000), (33_000, 40_000), (40_000, 40_000)] {
            assert_eq!(on_the_beat(after(deadline), after(10_000), first), after(beat), "{deadline}");
        }
    }

    #[test]
    fn what_waits_for_a_moment_is_not_held_up() {
        let now = Instant::now();
        for micros in [0, 1, 99] {
            let deadline = now + Duration::from_micros(micros);
            assert_eq!(on_the_beat(deadline, now, now), deadline);
        }
        assert_eq!(on_the_beat(now, now + BEAT, now), now, "it is over");
        assert_eq!(on_the_beat(now + BEAT / 2, now, now + BEAT), now + BEAT / 2, "before the first");
    }
}
