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

/// A clock that would tick so little after a beat ticks with it. If it waited for the next, one whose own time had passed when it was
/// woken would always miss every other beat, since the library counts on from the time of its last tick.
const NEAR: Duration = Duration::from_millis(5);

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

/// The beat, counted from `first`, with which a clock ticks that would tick at `deadline`: not before `now`.
fn on_the_beat(deadline: Instant, now: Instant, first: Instant) -> Instant {
    // A clock that stands still may be behind the first tick of one that goes.
    if deadline < now + CATCH_UP || now < first {
        return deadline;
    }
    let nanos = |duration: Duration| duration.as_nanos() as u64;
    let late = nanos(deadline - first) % nanos(BEAT);
    let before = first + Duration::from_nanos(nanos(deadline - first) - late);
    if late < nanos(NEAR) && before > now { before } else { before + BEAT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_tick_together() {
        let first = Instant::now();
        let after = |micros| first + Duration::from_micros(micros);
        for (deadline, beat) in
            [(20_000, 20_000), (24_999, 20_000), (25_000, 40_000), (39_999, 40_000), (44_000, 40_000)]
        {
            assert_eq!(on_the_beat(after(deadline), after(10_000), first), after(beat), "{deadline}");
        }
        assert_eq!(on_the_beat(after(24_000), after(21_000), first), after(40_000), "the beat before is over");
    }

    #[test]
    fn each_clock_ticks_with_every_beat_whatever_its_own_time_and_however_late_it_is_woken() {
        let first = Instant::now();
        for phase in (0..20_000).step_by(500) {
            for woken_late in [50, 700, 1_500, 4_500] {
                let (mut now, mut at) = (first, first + Duration::from_micros(phase) + BEAT);
                let own = at;
                for beat in 0..100 {
                    let tick = on_the_beat(at, now, first);
                    let due = Duration::from_micros(20_000 * beat);
                    assert!(tick - first <= due + 2 * BEAT, "beat {beat} with phase {phase}, woken {woken_late} late");
                    now = tick + Duration::from_micros(woken_late);
                    // As the library counts on.
                    let periods = if now < own { 0 } else { (now - own).as_micros() / BEAT.as_micros() + 1 };
                    at = own + BEAT * periods as u32;
                }
            }
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
