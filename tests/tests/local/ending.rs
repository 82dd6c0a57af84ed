//! How a system ends: in phases, within limits, in order or at once, and when it is told to from outside.

use std::pin::pin;
use std::time::Duration;

use casty::actor::Spawn;
use casty::prelude::*;
use casty::{DeadLetter, Shutdown, ShutdownReport, SpawnError};
use futures_util::FutureExt;
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::{Diary, Worker, diary, soon};

/// Asks another actor for each message of its own.
struct Front {
    back: ActorRef<Worker>,
    diary: Diary,
}

#[actor(local)]
impl Front {
    #[message]
    async fn wait(&mut self, gate: oneshot::Receiver<()>) {
        self.diary.note("front waits");
        let _ = gate.await;
    }

    #[message]
    async fn pass(&mut self, n: u64) {
        let handled = self.back.work(n).await;
        self.diary.note(format!("front got {handled:?}"));
    }

    /// Spawns a child that works.
    #[message]
    async fn delegate(&mut self, ctx: &mut Ctx<Self>) {
        let child = ctx.spawn(Worker::new("child", &self.diary)).await.unwrap();
        child.work(1).await.unwrap();
        self.diary.note(format!("root {:?}", ctx.system().spawn(Worker::new("root", &self.diary)).await.err()));
    }

    fn on_stop(&mut self) {
        self.diary.note("front stops");
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_depend_on_ends_in_a_later_phase_and_answers_until_they_have_ended() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let back = system.spawn(Worker::new("back", &notes)).shutdown_phase(1).await.unwrap();
    let front = system.spawn(Front { back, diary: notes }).await.unwrap();
    let (open, gate) = oneshot::channel();
    front.wait(gate).send().await.unwrap();
    front.pass(7).send().await.unwrap();
    read.expect(&["back made", "back starts", "front waits"]).await;
    let (report, ()) = tokio::join!(soon(system.shutdown()), async { open.send(()).unwrap() });
    assert!(report.is_clean(), "{report:?}");
    let lines = ["back works 7", "front got Ok(0)", "front stops", "back stops", "back dropped"];
    read.expect(&lines).await;
}

#[tokio::test(start_paused = true)]
async fn a_phase_that_is_late_is_stopped_in_its_own_time_and_the_next_still_drains() {
    let how = Shutdown::new()
        .drain_within(Duration::from_secs(100))
        .drain_phase_within(0, Duration::from_secs(3))
        .stop_within(Duration::from_secs(2));
    let system = ActorSystem::builder("test").shutdown(how).build();
    let (notes, mut read) = diary();
    let back = system.spawn(Worker::new("back", &notes)).shutdown_phase(1).await.unwrap();
    let front = system.spawn(Front { back: back.clone(), diary: notes }).await.unwrap();
    let (_never, gate) = oneshot::channel();
    front.wait(gate).send().await.unwrap();
    front.pass(7).send().await.unwrap();
    read.expect(&["back made", "back starts", "front waits"]).await;
    let (late, gate) = oneshot::channel();
    back.wait(gate).send().await.unwrap();
    back.work(8).send().await.unwrap();
    let begun = Instant::now();
    let report = async {
        let report = soon(system.shutdown()).await;
        (report, begun.elapsed())
    };
    let ((report, took), ()) = tokio::join!(report, async {
        // Later than all limits of the first phase, and long before that of the second.
        tokio::time::sleep(Duration::from_secs(20)).await;
        late.send(()).unwrap();
    });
    // What the front had queued went to dead letters.
    assert_eq!((report.late, report.aborted, report.stuck, report.dead_letters), (1, 1, 0, 1));
    assert!(took >= Duration::from_secs(20) && took < Duration::from_secs(21), "{took:?}");
    read.expect(&["back waits", "back works 8", "back stops", "back dropped"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_rejects_handles_the_message_in_hand_and_counts_the_rest() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let worker = system.spawn(Worker::new("worker", &notes)).await.unwrap();
    let (open, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    read.expect(&["worker made", "worker starts", "worker waits"]).await;
    for n in 0..5 {
        worker.work(n).send().await.unwrap();
    }
    let asked = worker.work(5);
    let shutdown = async {
        let how = Shutdown::new().reject();
        let mut shutdown = pin!(system.shutdown_with(&how));
        assert!(futures_util::poll!(shutdown.as_mut()).is_pending());
        open.send(()).unwrap();
        shutdown.await
    };
    let (asked, report) = tokio::join!(soon(asked), soon(shutdown));
    assert_eq!(asked, Err(AskError::Stopped));
    assert_eq!((report.dead_letters, report.late, report.aborted), (6, 0, 0));
    read.expect(&["worker stops", "worker dropped"]).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_system_drains_children_are_spawned_and_nobody_else() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let back = system.spawn(Worker::new("back", &notes)).shutdown_phase(1).await.unwrap();
    let front = system.spawn(Front { back, diary: notes.clone() }).await.unwrap();
    let (open, gate) = oneshot::channel();
    front.wait(gate).send().await.unwrap();
    front.delegate().send().await.unwrap();
    read.expect(&["back made", "back starts", "front waits"]).await;
    let (report, ()) = tokio::join!(soon(system.shutdown()), async { open.send(()).unwrap() });
    assert!(report.is_clean(), "{report:?}");
    read.expect(&["child made", "child starts", "child works 1", "root made", "root dropped"]).await;
    let refused = SpawnError::ShutDown { system: "test".to_owned() };
    let mut lines = read.rest();
    lines.retain(|line| !line.starts_with("child"));
    assert_eq!(lines[0], format!("root {:?}", Some(refused)));
    assert_eq!(lines[1..], ["front stops", "back stops", "back dropped"]);
    assert!(system.spawn(Worker::new("late", &notes)).await.is_err());
}

#[tokio::test]
async fn ctrl_c_ends_the_system_in_order_and_a_second_one_at_once() {
    let how = Shutdown::new().drain_within(Duration::from_secs(3_600)).stop_within(Duration::from_secs(3_600));
    let system = ActorSystem::builder("test").shutdown(how).build();
    let (notes, mut read) = diary();
    let worker = system.spawn(Worker::new("worker", &notes)).await.unwrap();
    let (_never, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    worker.work(1).send().await.unwrap();
    read.expect(&["worker made", "worker starts", "worker waits"]).await;

    let mut ended = pin!(system.shutdown_on_ctrl_c());
    // From the first poll on, the signals come here.
    assert!(futures_util::poll!(ended.as_mut()).is_pending());
    kill_process(getpid(), Signal::INT).unwrap();
    let in_order = async {
        // Nobody is let in any more: it has begun.
        while !refuses(&system, &notes) {
            assert!(futures_util::poll!(ended.as_mut()).is_pending(), "it ended with a handler that waits");
            tokio::task::yield_now().await;
        }
    };
    soon(in_order).await;
    kill_process(getpid(), Signal::TERM).unwrap();
    let report: ShutdownReport = soon(ended).await.unwrap();
    assert_eq!((report.late, report.aborted, report.stuck), (0, 1, 0));
    soon(worker.stopped()).await;
}

/// Whether the system spawns nothing more.
fn refuses(system: &ActorSystem, notes: &Diary) -> bool {
    let spawn = system.spawn(Worker::new("probe", notes)).into_future();
    matches!(spawn.now_or_never(), Some(Err(SpawnError::ShutDown { .. })))
}

/// Counts the dead letters that it is told of.
struct Undertaker(Diary);

#[actor(local)]
impl Undertaker {
    #[handler]
    fn buried(&mut self, letter: DeadLetter) {
        self.0.note(format!("buried a {}", letter.message.rsplit("::").next().unwrap_or_default()));
    }
}

#[tokio::test(start_paused = true)]
async fn who_listens_to_dead_letters_in_a_later_phase_hears_of_those_of_the_shutdown() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let undertaker = system.spawn(Undertaker(notes.clone())).shutdown_phase(u8::MAX).await.unwrap();
    system.dead_letters().topic().subscribe(&undertaker);
    let worker = system.spawn(Worker::new("worker", &notes)).await.unwrap();
    let (_never, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    read.expect(&["worker made", "worker starts", "worker waits"]).await;
    worker.work(1).send().await.unwrap();
    let report = soon(system.shutdown()).await;
    assert_eq!((report.dead_letters, report.aborted), (1, 1), "{report:?}");
    let lines = read.rest();
    assert!(lines.contains(&"buried a Work".to_owned()), "{lines:?}");
}

/// Ends the system that it lives in.
struct Admin(Diary);

#[actor(local)]
impl Admin {
    #[message]
    async fn end(&mut self, ctx: &mut Ctx<Self>) {
        ctx.system().shutdown().await;
        self.0.note("admin survived");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_a_handler_awaits_ends_the_later_phases_too() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let back = system.spawn(Worker::new("back", &notes)).shutdown_phase(1).await.unwrap();
    let admin = system.spawn(Admin(notes.clone())).await.unwrap();
    admin.end().send().await.unwrap();
    soon(back.stopped()).await;
    read.expect(&["back made", "back starts", "back stops", "back dropped"]).await;
    assert!(refuses(&system, &notes));
    soon(admin.stopped()).await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_goes_on_when_nobody_waits_for_it_any_more() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    let back = system.spawn(Worker::new("back", &notes)).shutdown_phase(1).await.unwrap();
    let worker = system.spawn(Worker::new("worker", &notes)).await.unwrap();
    let (_never, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(1), system.shutdown()).await.is_err());
    soon(back.stopped()).await;
    assert_eq!(back.work(1).await, Err(AskError::Stopped));
}

/// Has a child as it is dropped where it waits.
struct Hydra;

/// Never starts, and so never looks whether it is to stop.
struct Head;

#[actor(local)]
impl Head {
    async fn on_start(&mut self) -> Result<(), BoxError> {
        std::future::pending().await
    }
}

struct Last(Option<Spawn<Head>>);

impl Drop for Last {
    fn drop(&mut self) {
        let head = self.0.take().and_then(|spawn| spawn.into_future().now_or_never());
        assert!(head.is_some_and(|head| head.is_ok()), "its parent has not ended yet");
    }
}

#[actor(local)]
impl Hydra {
    #[message]
    async fn linger(&mut self, ctx: &mut Ctx<Self>) {
        let _last = Last(Some(ctx.spawn(Head)));
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn actors_that_are_spawned_while_the_others_are_dropped_are_dropped_too() {
    let system = ActorSystem::new("test");
    let hydra = system.spawn(Hydra).await.unwrap();
    hydra.linger().send().await.unwrap();
    tokio::task::yield_now().await;
    let report = soon(system.shutdown()).await;
    assert_eq!((report.late, report.aborted, report.stuck), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pool_ends_in_its_phase() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let of_pool = notes.clone();
    let pool = system.pool(1, move || Worker::new("pooled", &of_pool)).shutdown_phase(2).await.unwrap();
    let worker = system.spawn(Worker::new("worker", &notes)).shutdown_phase(1).await.unwrap();
    assert!(soon(system.shutdown()).await.is_clean());
    let ends: Vec<_> = read.rest().into_iter().filter(|line| line.ends_with("stops")).collect();
    assert_eq!(ends, ["worker stops", "pooled stops"]);
    drop((pool, worker));
}
