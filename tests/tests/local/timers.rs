//! Messages that an actor sends itself later.

use std::time::Duration;

use casty::Timer;
use casty::prelude::*;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};

use crate::support::{Diary, Reader, diary, soon};

const SECOND: Duration = Duration::from_secs(1);

#[message(local)]
#[derive(Clone)]
struct Tick {
    name: &'static str,
}

/// Writes down when it hears of a timer.
struct Clock {
    notes: Diary,
    began: Instant,
}

#[actor(local)]
impl Clock {
    #[handler]
    fn tick(&mut self, tick: Tick) {
        self.notes.note(format!("{} at {} ms", tick.name, self.began.elapsed().as_millis()));
    }

    #[message]
    fn after(&mut self, delay: Duration, name: &'static str, ctx: &mut Ctx<Self>) -> Timer {
        ctx.after(delay, Tick { name })
    }

    #[message]
    fn every(&mut self, period: Duration, missed: MissedTickBehavior, ctx: &mut Ctx<Self>) -> Timer {
        ctx.every_with(period, missed, || Tick { name: "tick" })
    }

    #[message]
    fn cancel(&mut self, timer: Timer, ctx: &mut Ctx<Self>) -> bool {
        ctx.cancel(timer)
    }

    #[message]
    fn idle(&mut self, after: Option<Duration>, ctx: &mut Ctx<Self>) {
        match after {
            Some(after) => ctx.set_receive_timeout(after, Tick { name: "idle" }),
            None => ctx.clear_receive_timeout(),
        }
    }

    #[message]
    fn pipe(&mut self, output: oneshot::Receiver<&'static str>, ctx: &mut Ctx<Self>) {
        ctx.pipe_to_self(output, |name| Tick { name: name.unwrap_or("nothing") });
    }

    #[message]
    fn pipe_panic(&mut self, ctx: &mut Ctx<Self>) {
        ctx.pipe_to_self(async { std::panic::resume_unwind(Box::new("in the pipe")) }, |()| Tick { name: "never" });
    }

    #[message]
    async fn sleep(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    #[message]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new("told to"));
    }

    fn on_error(&mut self, failure: &Failure) -> Directive {
        self.notes.note(format!("failed: {failure}"));
        Directive::Restart
    }
}

async fn clock() -> (ActorSystem, ActorRef<Clock>, Reader) {
    let system = ActorSystem::new("test");
    let (notes, read) = diary();
    let began = Instant::now();
    let clock = system.spawn_with(move || Clock { notes: notes.clone(), began }).await.unwrap();
    (system, clock, read)
}

#[tokio::test(start_paused = true)]
async fn timers_go_off_in_the_order_in_which_they_are_due() {
    let (_system, clock, mut read) = clock().await;
    for (delay, name) in [(300, "c"), (100, "a"), (200, "b"), (100, "a2")] {
        clock.after(Duration::from_millis(delay), name).await.unwrap();
    }
    read.expect(&["a at 100 ms", "a2 at 100 ms", "b at 200 ms", "c at 300 ms"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_was_cancelled_delivers_nothing_even_if_it_is_due() {
    let (_system, clock, mut read) = clock().await;
    let timer = clock.after(SECOND, "late").await.unwrap();
    // It becomes due while the actor is busy, with the cancellation waiting behind.
    let busy = async { tokio::join!(clock.sleep(SECOND - Duration::from_millis(1)), clock.cancel(timer)) };
    assert_eq!(soon(busy).await.1, Ok(true));
    assert_eq!(clock.cancel(timer).await, Ok(false));
    tokio::time::sleep(5 * SECOND).await;
    assert!(read.rest().is_empty());
}

#[tokio::test(start_paused = true)]
async fn missed_ticks_are_skipped_made_up_or_put_off_as_chosen() {
    let cases = [
        (MissedTickBehavior::Skip, ["tick at 1000 ms", "tick at 3500 ms", "tick at 4000 ms", "tick at 5000 ms"]),
        (MissedTickBehavior::Burst, ["tick at 1000 ms", "tick at 3500 ms", "tick at 3500 ms", "tick at 4000 ms"]),
        (MissedTickBehavior::Delay, ["tick at 1000 ms", "tick at 3500 ms", "tick at 4500 ms", "tick at 5500 ms"]),
    ];
    for (missed, expected) in cases {
        let (_system, clock, mut read) = clock().await;
        let timer = clock.every(SECOND, missed).await.unwrap();
        assert_eq!(read.line().await, expected[0]);
        clock.sleep(2_500 * Duration::from_millis(1)).send().await.unwrap();
        read.expect(&expected[1..]).await;
        assert_eq!(clock.cancel(timer).await, Ok(true));
        tokio::time::sleep(5 * SECOND).await;
        assert!(read.rest().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn timers_and_callers_take_turns() {
    let (_system, clock, mut read) = clock().await;
    // Both wait when the actor is free again: neither shuts the other out.
    clock.every(Duration::from_millis(1), MissedTickBehavior::Burst).await.unwrap();
    let asked = async { tokio::join!(clock.sleep(SECOND), clock.tick(Tick { name: "call" })) };
    soon(asked).await.1.unwrap();
    let lines = read.rest();
    let call = lines.iter().position(|line| line.starts_with("call")).unwrap();
    assert!(call <= 3, "{call} ticks came before a message that had waited as long");
    tokio::time::sleep(SECOND).await;
    let ticks = lines.len() - 1 + read.rest().len();
    assert!(ticks >= 1_900, "{ticks} ticks of 2,000");
}

#[tokio::test(start_paused = true)]
async fn timers_end_with_the_instance_that_set_them() {
    let (_system, clock, mut read) = clock().await;
    clock.every(SECOND, MissedTickBehavior::Skip).await.unwrap();
    clock.after(SECOND, "once").await.unwrap();
    assert_eq!(soon(clock.fail()).await, Err(AskError::Failed));
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(read.rest(), ["failed: told to"]);
    clock.every(SECOND, MissedTickBehavior::Skip).await.unwrap();
    clock.stop();
    soon(clock.stopped()).await;
    tokio::time::sleep(5 * SECOND).await;
    assert!(read.rest().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_actor_hears_when_nobody_has_called_for_a_while() {
    let (_system, clock, mut read) = clock().await;
    clock.idle(Some(SECOND)).await.unwrap();
    for _ in 0..3 {
        tokio::time::sleep(SECOND / 2).await;
        clock.sleep(Duration::ZERO).await.unwrap();
    }
    read.expect(&["idle at 2500 ms", "idle at 3500 ms"]).await;
    clock.idle(None).await.unwrap();
    tokio::time::sleep(5 * SECOND).await;
    assert!(read.rest().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_timer_brings_is_something_to_do_too() {
    let (_system, clock, mut read) = clock().await;
    clock.idle(Some(SECOND)).await.unwrap();
    for n in 1..=3 {
        clock.after(n * (SECOND - Duration::from_millis(200)), "due").await.unwrap();
    }
    read.expect(&["due at 800 ms", "due at 1600 ms", "due at 2400 ms", "idle at 3400 ms"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_timer_whose_message_cannot_be_made_fails_its_actor_and_goes_on_if_that_does() {
    struct Stubborn {
        notes: Diary,
    }
    #[actor(local)]
    impl Stubborn {
        #[handler]
        fn tick(&mut self, tick: Tick) {
            self.notes.note(tick.name);
        }
        fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
            let mut ticks = 0;
            ctx.every_with(SECOND, MissedTickBehavior::Skip, move || {
                ticks += 1;
                if ticks == 1 {
                    std::panic::resume_unwind(Box::new("no first tick"));
                }
                Tick { name: "tick" }
            });
            Ok(())
        }
        fn on_error(&mut self, failure: &Failure) -> Directive {
            self.notes.note(failure.reason.clone());
            Directive::Resume
        }
    }
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let _stubborn = system.spawn(Stubborn { notes }).await.unwrap();
    read.expect(&["no first tick", "tick", "tick"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_output_of_a_future_comes_back_as_a_message_while_the_actor_goes_on() {
    let (_system, clock, mut read) = clock().await;
    let (give, output) = oneshot::channel();
    clock.pipe(output).await.unwrap();
    clock.sleep(SECOND).await.unwrap();
    give.send("piped").unwrap();
    read.expect(&["piped at 1000 ms"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_future_that_panics_fails_its_actor_and_ends_with_it() {
    let (_system, clock, mut read) = clock().await;
    let (give, output) = oneshot::channel();
    clock.pipe(output).await.unwrap();
    clock.pipe_panic().await.unwrap();
    read.expect(&["failed: in the pipe"]).await;
    // The restart has dropped the other future.
    clock.sleep(SECOND).await.unwrap();
    assert_eq!(give.send("late"), Err("late"));
    assert!(read.rest().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_delay_beyond_all_time_never_comes() {
    let (_system, clock, mut read) = clock().await;
    let timer = clock.after(Duration::MAX, "never").await.unwrap();
    clock.idle(Some(Duration::MAX)).await.unwrap();
    tokio::time::sleep(SECOND).await;
    assert_eq!(clock.cancel(timer).await, Ok(true));
    assert!(read.rest().is_empty());
}
