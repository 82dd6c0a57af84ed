//! Children end before their parents do.

use std::time::Duration;

use casty::prelude::*;
use casty::{Shutdown, SpawnError};
use tokio::sync::oneshot;

use crate::support::{Diary, Worker, diary, soon};

/// Has one child, and hands it what it gets.
struct Parent {
    notes: Diary,
    child: Option<ActorRef<Worker>>,
    lame: bool,
}

impl Parent {
    fn new(notes: &Diary) -> Self {
        Self { notes: notes.clone(), child: None, lame: false }
    }
}

#[actor(local)]
impl Parent {
    #[message]
    async fn delegate(&mut self, n: u64) {
        if let Some(child) = &self.child {
            child.work(n).send().await.unwrap();
        }
    }

    #[message]
    fn child(&self) -> Option<ActorRef<Worker>> {
        self.child.clone()
    }

    /// Lets go of its child.
    #[message]
    fn forget(&mut self) {
        self.child = None;
    }

    #[message]
    async fn wait(&mut self, gate: oneshot::Receiver<()>) {
        self.notes.note("parent waits");
        let _ = gate.await;
    }

    async fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        self.child = Some(ctx.spawn(Worker::new("child", &self.notes)).named("child").await?);
        if self.lame { Err("it is lame".into()) } else { Ok(()) }
    }

    fn on_stop(&mut self) {
        self.notes.note("parent stops");
    }
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_stopped_stops_its_children_first() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let parent = system.spawn(Parent::new(&notes)).await.unwrap();
    let child = soon(parent.child()).await.unwrap().unwrap();
    parent.stop();
    soon(parent.stopped()).await;
    read.expect(&["child made", "child starts", "child stops", "child dropped", "parent stops"]).await;
    assert_eq!(child.work(1).await, Err(AskError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_handles_what_parents_and_children_have_queued() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let parent = system.spawn(Parent::new(&notes)).await.unwrap();
    let (open, gate) = oneshot::channel();
    parent.wait(gate).send().await.unwrap();
    for n in 0..50 {
        parent.delegate(n).send().await.unwrap();
    }
    read.expect(&["child made", "parent waits", "child starts"]).await;
    soon(async { tokio::join!(system.shutdown(), async { open.send(()).unwrap() }) }).await;
    for n in 0..50 {
        assert_eq!(read.line().await, format!("child works {n}"));
    }
    read.expect(&["child stops", "child dropped", "parent stops"]).await;
    assert_eq!(system.dead_letters().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_a_parent_that_drains() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let parent = system.spawn(Parent::new(&notes)).await.unwrap();
    let child = soon(parent.child()).await.unwrap().unwrap();
    let (_open, gate) = oneshot::channel();
    child.wait(gate).send().await.unwrap();
    for n in 0..3 {
        child.work(n).send().await.unwrap();
    }
    read.expect(&["child made", "child starts", "child waits"]).await;
    parent.drain();
    let (ended, ()) = tokio::join!(soon(parent.stopped()), async {
        // Its child waits for ever, and so the parent does.
        tokio::time::advance(Duration::from_secs(10)).await;
        parent.stop();
        drop(_open);
    });
    assert_eq!(ended, ());
    read.expect(&["child stops", "child dropped", "parent stops"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_child_is_gone_with_the_last_reference_to_it() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let parent = system.spawn(Parent::new(&notes)).await.unwrap();
    soon(parent.forget()).await.unwrap();
    read.expect(&["child made", "child starts", "child stops", "child dropped"]).await;
    parent.stop();
    soon(parent.stopped()).await;
}

#[tokio::test(start_paused = true)]
async fn an_on_start_that_fails_ends_the_children_that_it_spawned_and_frees_their_names() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let parent = system.spawn(Parent { lame: true, ..Parent::new(&notes) }).named("parent").await.unwrap();
    soon(parent.stopped()).await;
    read.expect(&["child made", "child starts", "child stops", "child dropped"]).await;
    assert!(system.lookup::<Parent>("parent").is_err() && system.lookup::<Worker>("child").is_err());
}

#[tokio::test(start_paused = true)]
async fn children_end_also_if_their_parent_is_dropped_where_it_waits() {
    let system = ActorSystem::builder("test").shutdown(Shutdown::new().drain_within(Duration::from_secs(1))).build();
    let (notes, mut read) = diary();
    let parent = system.spawn(Parent::new(&notes)).await.unwrap();
    let child = soon(parent.child()).await.unwrap().unwrap();
    let (_open, gate) = oneshot::channel();
    parent.wait(gate).send().await.unwrap();
    soon(system.shutdown()).await;
    soon(child.stopped()).await;
    let lines = read.rest();
    assert_eq!(lines.last().map(String::as_str), Some("child dropped"), "{lines:?}");
    assert!(!lines.contains(&"parent stops".to_owned()), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_comes_too_late_is_refused_and_takes_no_name() {
    struct Slow;
    #[actor(local)]
    impl Slow {
        /// Has the child spawned elsewhere, when the gate opens.
        #[message]
        fn later(
            &mut self,
            notes: Diary,
            gate: oneshot::Receiver<()>,
            done: oneshot::Sender<Option<SpawnError>>,
            ctx: &mut Ctx<Self>,
        ) {
            let spawn = ctx.spawn(Worker::new("late", &notes)).named("late");
            tokio::spawn(async move {
                let _ = gate.await;
                done.send(spawn.await.err()).unwrap();
            });
        }
    }
    let system = ActorSystem::new("test");
    let ((notes, _read), (open, gate), (done, refused)) = (diary(), oneshot::channel(), oneshot::channel());
    let slow = system.spawn(Slow).await.unwrap();
    slow.later(notes.clone(), gate, done).await.unwrap();
    slow.stop();
    soon(slow.stopped()).await;
    open.send(()).unwrap();
    assert_eq!(soon(refused).await, Ok(Some(SpawnError::ParentEnded)));
    let _free = system.spawn(Worker::new("late", &notes)).named("late").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_first_child_that_is_spawned_in_on_stop_ends_before_its_parent_too() {
    struct Mourner {
        notes: Diary,
    }
    #[actor(local)]
    impl Mourner {
        #[message]
        fn fail(&mut self) {
            std::panic::resume_unwind(Box::new("told to"));
        }
        fn on_start(&mut self) -> Result<(), BoxError> {
            self.notes.note("mourner starts");
            Ok(())
        }
        async fn on_stop(&mut self, ctx: &mut Ctx<Self>) {
            let child = ctx.spawn(Worker::new("last", &self.notes)).named("last").await.unwrap();
            // It has a message in hand that takes a second, which is longer than the wait before a restart.
            let (open, gate) = oneshot::channel();
            child.wait(gate).send().await.unwrap();
            tokio::task::yield_now().await;
            tokio::spawn(async move {
                let _late = tokio::time::timeout(Duration::from_secs(1), child.stopped()).await;
                open.send(()).unwrap();
            });
        }
    }
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let mourner = system.spawn_with(move || Mourner { notes: notes.clone() }).await.unwrap();
    assert_eq!(soon(mourner.fail()).await, Err(AskError::Failed));
    let child = ["last made", "last starts", "last waits", "last stops", "last dropped"];
    read.expect(&["mourner starts"]).await;
    read.expect(&child).await;
    read.expect(&["mourner starts"]).await;
    mourner.stop();
    soon(mourner.stopped()).await;
    assert_eq!(read.rest(), child, "it had ended before its parent was gone");
}
