//! Who watches an actor is told of its end, once.

use std::time::Duration;

use casty::prelude::*;
use tokio::sync::oneshot;

use crate::support::{Diary, Worker, diary, soon};

/// Watches workers, and writes down what it hears.
struct Watcher {
    notes: Diary,
}

#[actor(local)]
impl Watcher {
    #[message]
    fn watch(&mut self, worker: ActorRef<Worker>, ctx: &mut Ctx<Self>) {
        ctx.watch(&worker).unwrap();
    }

    #[message]
    fn unwatch(&mut self, worker: ActorRef<Worker>, ctx: &mut Ctx<Self>) -> bool {
        ctx.unwatch(&worker)
    }

    /// Watches the worker no more when the gate opens, or anew.
    #[message]
    async fn change(&mut self, worker: ActorRef<Worker>, gate: oneshot::Receiver<()>, anew: bool, ctx: &mut Ctx<Self>) {
        self.notes.note("watcher waits");
        let _ = gate.await;
        ctx.unwatch(&worker);
        if anew {
            ctx.watch(&worker).unwrap();
        }
    }

    #[message]
    fn link(&mut self, worker: ActorRef<Worker>, ctx: &mut Ctx<Self>) {
        ctx.link(&worker).unwrap();
    }

    #[message]
    fn unlink(&mut self, worker: ActorRef<Worker>, ctx: &mut Ctx<Self>) -> bool {
        ctx.unlink(&worker)
    }

    #[message]
    fn hello(&mut self) {
        self.notes.note("watcher says hello");
    }

    #[message]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new("the watcher was told to fail"));
    }

    #[message]
    async fn wait(&mut self, gate: oneshot::Receiver<()>) {
        self.notes.note("watcher waits");
        let _ = gate.await;
    }

    fn on_terminated(&mut self, terminated: Terminated) {
        let Terminated { who, reason, .. } = terminated;
        self.notes.note(format!("{}: {reason}", who.name().unwrap_or("nameless")));
    }

    fn on_stop(&mut self) {
        self.notes.note("watcher stops");
    }
}

struct Scene {
    system: ActorSystem,
    notes: Diary,
    read: crate::support::Reader,
    /// Writes elsewhere, so that only the watcher's lines are read.
    silent: Diary,
    watcher: ActorRef<Watcher>,
}

impl Scene {
    async fn new() -> Self {
        let system = ActorSystem::new("test");
        let (notes, read) = diary();
        let (silent, _) = diary();
        let made = notes.clone();
        let watcher = system.spawn_with(move || Watcher { notes: made.clone() }).await.unwrap();
        Self { system, notes, read, silent, watcher }
    }

    async fn worker(&self) -> ActorRef<Worker> {
        self.system.spawn(Worker::new("w", &self.silent)).named("w").await.unwrap()
    }

    /// Everything that the watcher was told by now.
    async fn heard(&mut self) -> Vec<String> {
        soon(self.watcher.hello()).await.unwrap();
        let mut lines = Vec::new();
        loop {
            let line = self.read.line().await;
            if line == "watcher says hello" {
                return lines;
            }
            lines.push(line);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_end_is_told_once_with_its_reason() {
    let mut scene = Scene::new().await;
    let stopped = scene.worker().await;
    soon(scene.watcher.watch(stopped.clone())).await.unwrap();
    soon(scene.watcher.watch(stopped.clone())).await.unwrap();
    stopped.stop();
    soon(stopped.stopped()).await;
    assert_eq!(scene.heard().await, ["w: it was told to stop"]);

    let failed = scene.worker().await;
    soon(scene.watcher.watch(failed.clone())).await.unwrap();
    assert_eq!(soon(failed.fail()).await, Err(AskError::Failed));
    soon(failed.stopped()).await;
    assert_eq!(scene.heard().await, ["w: it failed: w was told to fail"]);

    let mut lame = Worker::new("w", &scene.silent);
    lame.lame = true;
    let lame = scene.system.spawn(lame).named("w").await.unwrap();
    soon(scene.watcher.watch(lame.clone())).await.unwrap();
    soon(lame.stopped()).await;
    assert_eq!(scene.heard().await, ["w: it could not start: it is lame"]);
}

#[tokio::test(start_paused = true)]
async fn who_watches_an_actor_that_has_stopped_is_told_at_once_with_its_reason() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    soon(worker.stopped()).await;
    for _ in 0..2 {
        soon(scene.watcher.watch(worker.clone())).await.unwrap();
        assert_eq!(scene.heard().await, ["w: it failed: w was told to fail"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_reference_is_a_reason_too() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    soon(scene.watcher.watch(worker.clone())).await.unwrap();
    drop(worker);
    assert_eq!(scene.read.line().await, "w: it was told to stop", "who watches does not keep it alive");
    assert!(scene.heard().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_no_end() {
    let mut scene = Scene::new().await;
    let silent = scene.silent.clone();
    let worker = scene.system.spawn_with(move || Worker::new("w", &silent)).named("w").await.unwrap();
    soon(scene.watcher.watch(worker.clone())).await.unwrap();
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    assert_eq!(soon(worker.work(1)).await, Ok(0));
    assert!(scene.heard().await.is_empty());
    worker.stop();
    soon(worker.stopped()).await;
    assert_eq!(scene.heard().await, ["w: it was told to stop"], "the watch outlives the restart");
}

#[tokio::test(start_paused = true)]
async fn who_watches_no_more_is_told_nothing_even_of_an_end_that_it_has_not_heard_of() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    soon(scene.watcher.watch(worker.clone())).await.unwrap();
    assert_eq!(soon(scene.watcher.unwatch(worker.clone())).await, Ok(true));
    assert_eq!(soon(scene.watcher.unwatch(worker.clone())).await, Ok(false));
    worker.stop();
    soon(worker.stopped()).await;
    assert!(scene.heard().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_end_overtakes_what_is_queued() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    soon(scene.watcher.watch(worker.clone())).await.unwrap();
    let (open, gate) = oneshot::channel();
    scene.watcher.wait(gate).send().await.unwrap();
    assert_eq!(scene.read.line().await, "watcher waits");
    scene.watcher.hello().send().await.unwrap();
    worker.stop();
    soon(worker.stopped()).await;
    open.send(()).unwrap();
    scene.read.expect(&["w: it was told to stop", "watcher says hello"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_was_made_anew_has_to_watch_again() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    soon(scene.watcher.watch(worker.clone())).await.unwrap();
    assert_eq!(soon(scene.watcher.fail()).await, Err(AskError::Failed));
    assert_eq!(scene.heard().await, ["watcher stops"]);
    soon(scene.watcher.watch(worker.clone())).await.unwrap();
    worker.stop();
    soon(worker.stopped()).await;
    assert_eq!(scene.heard().await, ["w: it was told to stop"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_waits_to_be_told_is_told_once_if_it_is_watched_then_and_else_not() {
    for (anew, heard) in [(true, &["w: it was told to stop"][..]), (false, &[])] {
        let mut scene = Scene::new().await;
        let worker = scene.worker().await;
        soon(scene.watcher.watch(worker.clone())).await.unwrap();
        let (open, gate) = oneshot::channel();
        scene.watcher.change(worker.clone(), gate, anew).send().await.unwrap();
        assert_eq!(scene.read.line().await, "watcher waits");
        worker.stop();
        soon(worker.stopped()).await;
        open.send(()).unwrap();
        assert_eq!(scene.heard().await, heard);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_outlives_restarts_and_ends_for_both_when_either_takes_it_back() {
    let mut scene = Scene::new().await;
    let (notes, silent) = (scene.notes.clone(), scene.silent.clone());
    let other = scene.system.spawn_with(move || Watcher { notes: silent.clone() }).await.unwrap();
    let third = scene.system.spawn(Watcher { notes }).await.unwrap();
    // Both make the link, and it is one.
    let worker = scene.worker().await;
    soon(other.link(worker.clone())).await.unwrap();
    soon(third.link(worker.clone())).await.unwrap();
    soon(third.link(worker.clone())).await.unwrap();
    assert_eq!(soon(other.fail()).await, Err(AskError::Failed));
    assert_eq!(soon(worker.work(1)).await, Ok(0), "a restart is no end");
    assert_eq!(soon(third.unlink(worker.clone())).await, Ok(true));
    assert_eq!(soon(third.unlink(worker.clone())).await, Ok(false));
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    soon(other.stopped()).await;
    soon(third.hello()).await.unwrap();
    assert_eq!(scene.read.rest(), ["watcher says hello"]);
}

#[tokio::test(start_paused = true)]
async fn linked_actors_fail_together_and_stop_alone() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    soon(scene.watcher.link(worker.clone())).await.unwrap();
    worker.stop();
    soon(worker.stopped()).await;
    assert!(scene.heard().await.is_empty(), "an end that was asked for takes nobody along");

    let worker = scene.worker().await;
    soon(scene.watcher.link(worker.clone())).await.unwrap();
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    soon(scene.watcher.stopped()).await;
    assert_eq!(scene.read.rest(), ["watcher stops"]);
}

#[tokio::test(start_paused = true)]
async fn a_link_holds_both_ways() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    let notes = scene.notes.clone();
    let frail = scene.system.spawn(Watcher { notes }).await.unwrap();
    soon(frail.link(worker.clone())).await.unwrap();
    soon(scene.watcher.watch(worker.clone())).await.unwrap();
    assert_eq!(soon(frail.fail()).await, Err(AskError::Failed));
    soon(worker.stopped()).await;
    let heard = scene.heard().await;
    assert!(heard.iter().any(|line| line.starts_with("w: ") && line.ends_with("with which it was linked, stopped")));
}

#[tokio::test(start_paused = true)]
async fn a_link_with_one_that_has_failed_already_stops_at_once_and_an_unlinked_one_not() {
    let mut scene = Scene::new().await;
    let worker = scene.worker().await;
    soon(scene.watcher.link(worker.clone())).await.unwrap();
    assert_eq!(soon(scene.watcher.unlink(worker.clone())).await, Ok(true));
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    soon(worker.stopped()).await;
    assert!(scene.heard().await.is_empty());
    soon(scene.watcher.link(worker)).await.unwrap();
    soon(scene.watcher.stopped()).await;
    tokio::time::advance(Duration::from_secs(1)).await;
}
