//! Entities with nothing to do leave memory, and nobody notices by what they answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use casty::prelude::*;
use casty::storage::MemoryEntityStore;
use casty::{ClusterConfig, EntityRef, Sharded, Timer};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The instances that live of each counter, and how many there ever were.
static LIVES: LazyLock<Mutex<HashMap<EntityId, Lives>>> = LazyLock::new(Mutex::default);

/// Counters of this name wait in their `on_stop` until they may stop.
const RELUCTANT: &str = "reluctant";
static MAY_STOP: Semaphore = Semaphore::const_new(0);

/// Counters of this name panic when they are dropped.
const FRAGILE: &str = "fragile";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lives {
    now: u64,
    ever: u64,
    /// How many have begun to stop.
    stopping: u64,
}

fn lives(id: &str) -> Lives {
    LIVES.lock().unwrap().get(&EntityId::from(id)).copied().unwrap_or_default()
}

/// One of the lives of a counter.
struct Life(EntityId);

impl Life {
    fn new(id: EntityId) -> Self {
        let mut lives = LIVES.lock().unwrap();
        let Lives { now, ever, .. } = lives.entry(id.clone()).or_default();
        (*now, *ever) = (*now + 1, *ever + 1);
        Self(id)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        LIVES.lock().unwrap().get_mut(&self.0).unwrap().now -= 1;
        assert!(!self.0.as_str().starts_with(FRAGILE), "{} breaks", self.0);
    }
}

#[message]
#[derive(Clone)]
struct Ring;

#[persistent(total)]
struct Counter {
    total: u64,
    life: Life,
    bell: Option<Timer>,
    /// There were two instances at a time.
    twins: bool,
}

#[actor(name = "passivation.Counter")]
impl Counter {
    fn new(id: EntityId) -> Self {
        let life = Life::new(id);
        let twins = lives(life.0.as_str()).now > 1;
        Self { total: 0, life, bell: None, twins }
    }

    #[message]
    fn add(&mut self, number: u64) -> u64 {
        assert!(!self.twins, "two instances of {} lived at a time", self.life.0);
        self.total += number;
        self.total
    }

    #[message]
    fn total(&self) -> u64 {
        self.total
    }

    #[message]
    fn ring_after(&mut self, delay: Duration, ctx: &mut Ctx<Self>) {
        self.bell = Some(ctx.after(delay, Ring));
    }

    #[message]
    fn silence(&mut self, ctx: &mut Ctx<Self>) -> bool {
        self.bell.take().is_some_and(|bell| ctx.cancel(bell))
    }

    #[handler]
    fn ring(&mut self, _: Ring) {}

    async fn on_stop(&mut self) {
        LIVES.lock().unwrap().get_mut(&self.life.0).unwrap().stopping += 1;
        if self.life.0.as_str().starts_with(RELUCTANT) {
            MAY_STOP.acquire().await.unwrap().forget();
        }
    }
}

/// A cluster of which each node has at most `max` counters in memory; the counters as the first node calls them.
async fn cluster(size: usize, max: usize) -> (Cluster, Sharded<Counter>) {
    let cluster = Cluster::start_with(size, |config: ClusterConfig| config.live_entities_max(max)).await;
    let counters = cluster.sharded::<Counter>("counter").await.swap_remove(0);
    (cluster, counters)
}

async fn add(counter: &EntityRef<Counter>) -> u64 {
    counter.add(1).timeout(DEADLINE).await.unwrap()
}

/// Has others be born until `condition` holds: where there are too many, each has older ones leave.
async fn others_until(counters: &Sharded<Counter>, what: &str, condition: impl Fn() -> bool) {
    let born = async {
        for other in 0.. {
            if condition() {
                return;
            }
            add(&counters.entity(format!("another-than-{what}-{other}"))).await;
        }
    };
    tokio::time::timeout(DEADLINE, born).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_that_has_had_nothing_to_do_leaves_memory_and_comes_back_with_its_state() {
    let cluster = Cluster::start(3).await;
    let mut all = Vec::new();
    for (_, node) in cluster.live() {
        all.push(node.sharded::<Counter>("counter").passivate_after(Duration::from_millis(10)).start().await.unwrap());
    }
    let counter = all[0].entity("idle");
    assert_eq!(add(&counter).await, 1);
    eventually(DEADLINE, "it leaves", || lives("idle") == Lives { now: 0, ever: 1, stopping: 1 }).await;
    assert_eq!(counter.total().timeout(DEADLINE).await, Ok(1));
    assert_eq!(add(&counter).await, 2);
    assert!(lives("idle").ever >= 2, "it was made anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_that_is_not_to_leave_stays() {
    let (cluster, counters) = cluster(1, 0).await;
    let (stays, leaves) = ("stays", "leaves");
    for (name, id, idle) in [("staying", stays, Duration::MAX), ("leaving", leaves, Duration::ZERO)] {
        let node = cluster.node(0);
        add(&node.sharded::<Counter>(name).passivate_after(idle).start().await.unwrap().entity(id)).await;
    }
    eventually(DEADLINE, "the other leaves", || lives(leaves).now == 0).await;
    add(&counters.entity("comes-and-goes")).await;
    others_until(&counters, "all that may leave", || lives("comes-and-goes").now == 0).await;
    assert_eq!(lives(stays), Lives { now: 1, ever: 1, stopping: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_stays_while_a_timer_of_it_runs() {
    let (_cluster, counters) = cluster(1, 0).await;
    let ringing = counters.entity("ringing");
    ringing.ring_after(10 * DEADLINE).await.unwrap();
    for other in ["rung-before", "rung-after"] {
        add(&counters.entity(other)).await;
        others_until(&counters, other, || lives(other).now == 0).await;
    }
    assert_eq!(lives("ringing"), Lives { now: 1, ever: 1, stopping: 0 });
    assert_eq!(ringing.silence().timeout(DEADLINE).await, Ok(true), "its timer is there");
    others_until(&counters, "silent", || lives("ringing").now == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_whose_drop_panics_leaves_all_the_same() {
    let (_cluster, counters) = cluster(1, 0).await;
    let fragile = counters.entity(FRAGILE);
    assert_eq!(add(&fragile).await, 1);
    others_until(&counters, "broken", || lives(FRAGILE).now == 0).await;
    assert_eq!(add(&fragile).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_singleton_stays() {
    let (cluster, counters) = cluster(1, 0).await;
    let alone = cluster.node(0).singleton::<Counter>("alone").start().await.unwrap();
    assert_eq!(add(&alone).await, 1);
    add(&counters.entity("before")).await;
    others_until(&counters, "a singleton", || lives("before").now == 0).await;
    assert_eq!((add(&alone).await, lives("alone")), (2, Lives { now: 1, ever: 1, stopping: 0 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_has_no_more_entities_in_memory_than_it_may() {
    const MAX: usize = 10;
    let (_cluster, counters) = cluster(1, MAX).await;
    let ids: Vec<String> = (0..500).map(|number| format!("many-{number}")).collect();
    for id in &ids {
        add(&counters.entity(id.as_str())).await;
    }
    let live = || ids.iter().map(|id| lives(id).now).sum::<u64>();
    eventually(DEADLINE, "the others leave", || live() <= MAX as u64).await;
    assert_ne!(live(), 0, "those that were called last stay");
    for id in &ids {
        assert_eq!(counters.entity(id.as_str()).total().timeout(DEADLINE).await, Ok(1));
    }
}

/// What several callers add to several counters, and others read, while others are born that make these leave.
async fn added_by_many(all: Vec<Sharded<Counter>>, prefix: &str) {
    const CALLERS: u64 = 6;
    const COUNTERS: u64 = 4;
    const ROUNDS: u64 = 60;
    let answered: Arc<[AtomicU64; COUNTERS as usize]> = Arc::default();
    let added = Arc::new(AtomicU64::new(0));
    let mut readers = JoinSet::new();
    for number in 0..COUNTERS {
        let counters = all[number as usize % all.len()].clone();
        let (answered, id) = (answered.clone(), format!("{prefix}-{number}"));
        readers.spawn(async move {
            let counter = counters.entity(id);
            loop {
                let before = answered[number as usize].load(Ordering::SeqCst);
                let read = counter.total().timeout(DEADLINE).await.unwrap();
                assert!(read >= before, "{read} is read after {before} was answered");
            }
        });
    }
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let counters = all[caller as usize % all.len()].clone();
        let (answered, added, prefix) = (answered.clone(), added.clone(), prefix.to_owned());
        let begun = Instant::now();
        callers.spawn(async move {
            let mut seen = vec![0; COUNTERS as usize];
            let made_anew = || (0..COUNTERS).all(|number| lives(&format!("{prefix}-{number}")).ever > 1);
            for round in 0.. {
                // A counter leaves when it is idle just as another is born, which may take its time.
                if round >= ROUNDS && (made_anew() || begun.elapsed() > DEADLINE) {
                    return;
                }
                let number = (caller + round) % COUNTERS;
                let counter = counters.entity(format!("{prefix}-{number}"));
                let other = counters.entity(format!("{prefix}-other-{caller}-{round}"));
                let (first, _, second) = tokio::join!(add(&counter), add(&other), add(&counter));
                assert!(seen[number as usize] < first && first < second, "what one caller asks is answered in order");
                seen[number as usize] = second;
                added.fetch_add(2, Ordering::SeqCst);
                answered[number as usize].fetch_max(second, Ordering::SeqCst);
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    // Readers end only when they fail.
    assert!(readers.try_join_next().is_none_or(|failed| failed.is_ok()), "a reader saw too little");
    let mut total = 0;
    for number in 0..COUNTERS {
        let id = format!("{prefix}-{number}");
        total += all[0].entity(id.as_str()).total().timeout(DEADLINE).await.unwrap();
        assert!(lives(&id).ever > 1, "{id} was in memory all the time");
    }
    assert_eq!(total, added.load(Ordering::SeqCst));
    assert!(total >= 2 * CALLERS * ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_meets_an_entity_that_leaves_is_handled_once_and_in_order() {
    let cluster = Cluster::start_with(3, |config: ClusterConfig| config.live_entities_max(0)).await;
    added_by_many(cluster.sharded::<Counter>("counter").await, "met").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_meets_an_entity_that_leaves_for_a_store_is_handled_once_and_in_order() {
    let store = MemoryEntityStore::new();
    let with_store = |config: ClusterConfig| config.live_entities_max(0).entity_store("ledger", store.clone());
    let cluster = Cluster::start_with(3, with_store).await;
    let mut all = Vec::new();
    for (_, node) in cluster.live() {
        all.push(node.sharded::<Counter>("counter").stored_in("ledger").start().await.unwrap());
    }
    added_by_many(all, "stored").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_for_the_end_of_an_entity_that_leaves() {
    let (_cluster, counters) = cluster(1, 0).await;
    let reluctant = counters.entity(RELUCTANT);
    assert_eq!(add(&reluctant).await, 1);
    others_until(&counters, "it stops", || lives(RELUCTANT).stopping == 1).await;
    let mut asked = Box::pin(add(&reluctant));
    assert!(asked.as_mut().now_or_never().is_none());
    others_until(&counters, "others come and go", || lives("another-than-others come and go-0").ever == 1).await;
    assert_eq!(lives(RELUCTANT), Lives { now: 1, ever: 1, stopping: 1 }, "there is no second one yet");
    MAY_STOP.add_permits(1);
    assert_eq!(asked.await, 2);
    assert_eq!(lives(RELUCTANT).ever, 2);
    MAY_STOP.add_permits(1);
}
