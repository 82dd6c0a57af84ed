//! What the restart of one child means for the others.

use std::time::Duration;

use casty::prelude::*;

use crate::support::{Diary, Reader, Worker, diary, soon};

/// Has three children.
struct Boss {
    notes: Diary,
    strategy: Strategy,
    children: Vec<ActorRef<Worker>>,
    /// Of its children; the last is spawned by value.
    restarts: Restarts,
    last_by_value: bool,
}

#[actor(local)]
impl Boss {
    #[message]
    fn child(&self, n: usize) -> ActorRef<Worker> {
        self.children[n].clone()
    }

    async fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        self.notes.note("boss starts");
        ctx.supervise(self.strategy);
        for name in ["a", "b", "c"] {
            let notes = self.notes.clone();
            let make = move || Worker::new(name, &notes);
            let child = if self.last_by_value && name == "c" {
                ctx.spawn(make()).await?
            } else {
                ctx.spawn_with(make).restarts(self.restarts).await?
            };
            self.children.push(child);
        }
        Ok(())
    }

    fn on_stop(&mut self) {
        self.notes.note("boss stops");
    }

    fn on_error(&mut self, failure: &Failure) -> Directive {
        self.notes.note(format!("boss hears: {failure}"));
        Directive::Restart
    }
}

impl Boss {
    fn new(strategy: Strategy, notes: &Diary) -> Self {
        let restarts = Restarts::at_most(2, Duration::from_secs(60));
        Self { notes: notes.clone(), strategy, children: Vec::new(), restarts, last_by_value: false }
    }
}

/// A boss that has three children by now.
async fn boss(strategy: Strategy) -> (ActorSystem, ActorRef<Boss>, Vec<ActorRef<Worker>>, Reader) {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let boss = system.spawn_with(move || Boss::new(strategy, &notes)).await.unwrap();
    let mut children = Vec::new();
    for n in 0..3 {
        children.push(soon(boss.child(n)).await.unwrap());
        soon(children[n].work(0)).await.unwrap();
    }
    read.rest();
    (system, boss, children, read)
}

/// Lines about one worker each, as `b stops`, in any order between the workers that they are about.
fn of<'a>(lines: &'a [String], worker: &str) -> Vec<&'a str> {
    lines.iter().filter_map(|line| line.strip_prefix(worker)).map(str::trim).collect()
}

#[tokio::test(start_paused = true)]
async fn one_for_one_restarts_the_one_that_failed() {
    let (_system, _boss, children, mut read) = boss(Strategy::OneForOne).await;
    assert_eq!(soon(children[1].fail()).await, Err(AskError::Failed));
    assert_eq!(soon(children[1].work(1)).await, Ok(0));
    assert_eq!(soon(children[0].work(2)).await, Ok(1), "the others go on");
    read.expect(&["b stops", "b dropped", "b made", "b starts", "b works 1", "a works 2"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_for_all_stops_all_the_youngest_first_and_starts_all_the_oldest_first() {
    let (_system, _boss, children, mut read) = boss(Strategy::OneForAll).await;
    assert_eq!(soon(children[1].fail()).await, Err(AskError::Failed));
    read.expect(&["c stops", "c dropped", "b stops", "b dropped", "a stops", "a dropped"]).await;
    read.expect(&["a made", "a starts", "b made", "b starts", "c made", "c starts"]).await;
    for child in &children {
        assert_eq!(soon(child.work(1)).await, Ok(0));
    }
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_leaves_the_older_ones_alone() {
    let (_system, _boss, children, mut read) = boss(Strategy::RestForOne).await;
    assert_eq!(soon(children[1].fail()).await, Err(AskError::Failed));
    read.expect(&["c stops", "c dropped", "b stops", "b dropped", "b made", "b starts", "c made", "c starts"]).await;
    assert_eq!(soon(children[0].work(1)).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn children_that_fail_together_restart_once() {
    let (_system, _boss, children, mut read) = boss(Strategy::OneForAll).await;
    let failed = soon(async { tokio::join!(children[0].fail(), children[2].fail()) }).await;
    assert_eq!(failed, (Err(AskError::Failed), Err(AskError::Failed)));
    for child in &children {
        assert_eq!(soon(child.work(1)).await, Ok(0));
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    let lines = read.rest();
    for worker in ["a", "b", "c"] {
        assert_eq!(of(&lines, worker), ["stops", "dropped", "made", "starts", "works 1"], "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_that_was_spawned_by_value_stops_where_the_others_restart() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let make = move || Boss { last_by_value: true, ..Boss::new(Strategy::OneForAll, &notes) };
    let boss = system.spawn_with(make).await.unwrap();
    let (a, c) = (soon(boss.child(0)).await.unwrap(), soon(boss.child(2)).await.unwrap());
    assert_eq!(soon(a.fail()).await, Err(AskError::Failed));
    assert_eq!(soon(a.work(1)).await, Ok(0));
    soon(c.stopped()).await;
    assert!(read.rest().iter().all(|line| line != "boss stops"), "to be stopped so is no failure of the parent's");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_stops_while_the_others_restart_holds_nobody_up() {
    let (_system, _boss, children, _read) = boss(Strategy::OneForAll).await;
    let asked = async { tokio::join!(children[1].fail(), async { children[2].stop() }) };
    assert_eq!(soon(asked).await.0, Err(AskError::Failed));
    soon(children[2].stopped()).await;
    assert_eq!(soon(children[0].work(1)).await, Ok(0));
    assert_eq!(soon(children[1].work(1)).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_gives_up_fails_its_parent_which_starts_again_with_new_children() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll] {
        let (_system, boss, children, mut read) = boss(strategy).await;
        for _ in 0..3 {
            assert_eq!(soon(children[1].fail()).await, Err(AskError::Failed));
        }
        let heard = loop {
            let line = read.line().await;
            if line.starts_with("boss hears") {
                break line;
            }
        };
        assert!(heard.starts_with("boss hears: its child "), "{heard}");
        assert!(heard.ends_with("failed: b was told to fail"), "{heard}");
        for child in &children {
            soon(child.stopped()).await;
        }
        let anew = soon(boss.child(1)).await.unwrap();
        assert_ne!(anew.id(), children[1].id());
        assert_eq!(soon(anew.work(5)).await, Ok(0));
        let lines = read.rest();
        let at = |line: &str| lines.iter().rposition(|other| other == line).unwrap();
        assert!(at("c dropped") < at("boss stops") && at("boss stops") < at("boss starts"), "{lines:?}");
    }
}
