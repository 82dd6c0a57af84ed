//! Pools of workers, and topics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use casty::actor::{DeadReason, TopicError};
use casty::prelude::*;
use casty::{DeadLetter, Pool, Routing};
use tokio::sync::Semaphore;

use crate::support::{Diary, diary, soon};

#[message(local)]
#[derive(Clone)]
struct Mark {
    text: &'static str,
}

/// Knows its number.
struct Numbered {
    number: u64,
    notes: Diary,
    gate: Arc<Semaphore>,
}

#[actor(local)]
impl Numbered {
    /// The number of the worker that got the key.
    #[message]
    fn who(&self, key: u64) -> u64 {
        assert!(key < 1_000, "no test has so many");
        self.number
    }

    #[message]
    async fn wait(&mut self) -> u64 {
        self.notes.note(format!("{} waits", self.number));
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        self.number
    }

    #[handler]
    fn mark(&mut self, mark: Mark) {
        self.notes.note(format!("{} marks {}", self.number, mark.text));
    }

    #[handler]
    fn dead(&mut self, letter: DeadLetter) {
        self.notes.note(format!("{} is told of {:?}", self.number, letter.reason));
    }

    #[message]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new("told to"));
    }
}

fn pool(system: &ActorSystem, size: usize, notes: &Diary, gate: &Arc<Semaphore>) -> casty::actor::SpawnPool<Numbered> {
    let (next, notes, gate) = (AtomicU64::new(0), notes.clone(), gate.clone());
    system.pool(size, move || Numbered {
        number: next.fetch_add(1, Ordering::Relaxed),
        notes: notes.clone(),
        gate: gate.clone(),
    })
}

/// A gate that lets nobody through.
fn closed() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

/// How often each worker was asked.
async fn shares(pool: &Pool<Numbered>, asks: u64) -> BTreeMap<u64, usize> {
    let mut shares = BTreeMap::new();
    for key in 0..asks {
        *shares.entry(soon(pool.who(key)).await.unwrap()).or_default() += 1;
    }
    shares
}

#[tokio::test(start_paused = true)]
async fn round_robin_gives_every_worker_as_much_and_passes_over_those_that_have_stopped() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    let pool = pool(&system, 4, &notes, &closed()).named("p").await.unwrap();
    assert_eq!(shares(&pool, 40).await, BTreeMap::from([(0, 10), (1, 10), (2, 10), (3, 10)]));
    let second = system.lookup::<Numbered>("p-1").unwrap();
    second.stop();
    soon(second.stopped()).await;
    let shares = shares(&pool, 40).await;
    assert_eq!((shares.len(), shares.values().sum::<usize>()), (3, 40));
}

#[tokio::test(start_paused = true)]
async fn the_least_loaded_is_the_one_that_waits_for_work() {
    let system = ActorSystem::new("test");
    let ((notes, mut read), gate) = (diary(), closed());
    let pool = pool(&system, 3, &notes, &gate).routing(Routing::least_loaded()).await.unwrap();
    for _ in 0..2 {
        pool.wait().send().await.unwrap();
        read.line().await;
    }
    // Two are busy, so that all goes to the third, which is free again after each.
    assert_eq!(shares(&pool, 20).await.len(), 1);
    gate.add_permits(2);
}

#[tokio::test(start_paused = true)]
async fn equal_keys_meet_the_same_worker_and_only_those_of_a_lost_worker_move() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    let by_key = Routing::consistent_hash(|msg: &NumberedMsg| match msg {
        NumberedMsg::Who(who, _) => who.key,
        _ => 0,
    });
    let pool = pool(&system, 5, &notes, &closed()).routing(by_key).await.unwrap();
    let mut before = Vec::new();
    for key in 0..200 {
        before.push(soon(pool.who(key)).await.unwrap());
        assert_eq!(soon(pool.who(key)).await.unwrap(), before[key as usize]);
    }
    let lost = pool.workers().next().unwrap();
    lost.stop();
    soon(lost.stopped()).await;
    for key in 0..200 {
        let after = soon(pool.who(key)).await.unwrap();
        assert!(after == before[key as usize] || before[key as usize] == 0, "key {key} moved");
        assert_ne!(after, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_a_worker_that_stops_gets_to_another() {
    let system = ActorSystem::new("test");
    let ((notes, mut read), gate) = (diary(), closed());
    let pool = pool(&system, 2, &notes, &gate).mailbox(1).await.unwrap();
    for _ in 0..2 {
        pool.wait().send().await.unwrap();
        read.line().await;
    }
    let first = pool.workers().next().unwrap();
    // One message fills each mailbox, the third has to wait for room at the first worker.
    pool.mark(Mark { text: "0" }).send().await.unwrap();
    pool.mark(Mark { text: "1" }).send().await.unwrap();
    let third = tokio::spawn({
        let pool = pool.clone();
        async move { pool.mark(Mark { text: "2" }).send().await }
    });
    tokio::task::yield_now().await;
    first.stop();
    gate.add_permits(2);
    soon(third).await.unwrap().unwrap();
    read.expect(&["1 marks 1", "1 marks 2"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_fails_is_made_anew_and_a_pool_without_workers_says_so() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let pool = pool(&system, 2, &notes, &closed()).await.unwrap();
    assert_eq!(soon(pool.fail()).await, Err(AskError::Failed));
    assert_eq!(pool.broadcast(Mark { text: "all" }).await, 2);
    let mut marked = [read.line().await, read.line().await];
    marked.sort();
    assert_eq!(marked, ["1 marks all", "2 marks all"], "worker 0 was made anew as number 2");
    pool.stop();
    soon(pool.stopped()).await;
    assert_eq!(pool.who(1).await, Err(AskError::Stopped));
    assert_eq!(pool.broadcast(Mark { text: "none" }).await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_workers_of_a_pool_finish_what_is_queued_when_the_pool_is_dropped() {
    let system = ActorSystem::new("test");
    let ((notes, mut read), gate) = (diary(), closed());
    let pool = pool(&system, 1, &notes, &gate).await.unwrap();
    let worker = pool.workers().next().unwrap();
    pool.wait().send().await.unwrap();
    pool.mark(Mark { text: "last" }).send().await.unwrap();
    drop(pool);
    let ended = tokio::spawn(async move { worker.stopped().await });
    gate.add_permits(1);
    read.expect(&["0 waits", "0 marks last"]).await;
    // The test's own reference was the last.
    ended.abort();
}

async fn numbered(system: &ActorSystem, number: u64, notes: &Diary) -> ActorRef<Numbered> {
    system.spawn(Numbered { number, notes: notes.clone(), gate: closed() }).mailbox(1).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_topic_reaches_whoever_subscribes_in_the_order_of_its_publisher() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let (one, two) = (numbered(&system, 1, &notes).await, numbered(&system, 2, &notes).await);
    let topic = system.topic::<Mark>("marks").unwrap();
    assert_eq!(topic.publish(Mark { text: "nobody" }), 0);
    assert!(topic.subscribe(&one) && topic.subscribe(&two) && !topic.subscribe(&one));
    let same = system.topic::<Mark>("marks").unwrap();
    assert_eq!(same.publish(Mark { text: "a" }), 2);
    read.expect(&["1 marks a", "2 marks a"]).await;
    assert!(topic.unsubscribe(&one) && !topic.unsubscribe(&one));
    assert_eq!(topic.publish(Mark { text: "b" }), 1);
    read.expect(&["2 marks b"]).await;
    // The topic keeps nobody alive.
    drop(two);
    soon(async {
        while topic.publish(Mark { text: "c" }) > 0 {
            read.line().await;
        }
    })
    .await;
    assert_eq!(topic.subscribers(), 0);
    let wrong = system.topic::<DeadLetter>("marks").unwrap_err();
    assert!(matches!(wrong, TopicError::WrongType { .. }) && wrong.to_string().contains("`marks`"), "{wrong}");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_without_room_misses_a_message_and_nobody_waits_for_it() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let one = numbered(&system, 1, &notes).await;
    let topic = system.topic::<Mark>("marks").unwrap();
    topic.subscribe(&one);
    one.wait().send().await.unwrap();
    read.expect(&["1 waits"]).await;
    assert_eq!(topic.publish(Mark { text: "a" }), 1);
    assert_eq!(topic.publish(Mark { text: "b" }), 0);
    assert_eq!(system.dead_letters().count(DeadReason::NoRoom), 1);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_a_topic_that_does_not_feed_itself() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let (one, two) = (numbered(&system, 1, &notes).await, numbered(&system, 2, &notes).await);
    two.stop();
    soon(two.stopped()).await;
    system.dead_letters().topic().subscribe(&one);
    assert!(two.try_send(Mark { text: "late" }).is_err());
    read.expect(&["1 is told of Stopped"]).await;
    // Now it has no room for what it is told of, and is told of nothing for that reason.
    one.wait().send().await.unwrap();
    read.expect(&["1 waits"]).await;
    for _ in 0..3 {
        assert!(two.try_send(Mark { text: "late" }).is_err());
    }
    // One whose room is made by displacing is told of one, and of no message that this displaces.
    let three = Numbered { number: 3, notes: notes.clone(), gate: closed() };
    let three = system.spawn(three).mailbox(100).overflow(casty::Overflow::DropOldest).await.unwrap();
    three.wait().send().await.unwrap();
    read.expect(&["3 waits"]).await;
    for _ in 0..100 {
        three.try_send(Mark { text: "ordinary" }).unwrap();
    }
    system.dead_letters().topic().subscribe(&three);
    let before = system.dead_letters().count(DeadReason::Displaced);
    assert!(two.try_send(Mark { text: "late" }).is_err());
    assert_eq!(system.dead_letters().count(DeadReason::Displaced) - before, 1);
    assert_eq!(system.dead_letters().count(DeadReason::Stopped), 5);
    assert_eq!(system.dead_letters().count(DeadReason::NoRoom), 3);
}

#[tokio::test]
async fn a_pool_is_a_recipient_and_chooses_a_worker_for_each_message() {
    let system = ActorSystem::new("test");
    let ((notes, mut read), gate) = (diary(), Arc::new(Semaphore::new(0)));
    let number = AtomicU64::new(0);
    let make = move || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Numbered { number, notes: notes.clone(), gate: gate.clone() }
    };
    let anyone = system.pool(2, make).await.unwrap().recipient::<Mark>();
    for text in ["a", "b"] {
        anyone.send(Mark { text }).await.unwrap();
    }
    let mut lines = [read.line().await, read.line().await];
    lines.sort();
    assert_eq!(lines, ["0 marks a", "1 marks b"]);
}
