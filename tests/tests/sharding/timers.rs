//! Messages that an entity sends itself later.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::{Duration, Instant};

use casty::prelude::*;
use casty::{EntityRef, Timer};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use tokio::time::MissedTickBehavior::Skip;
use tokio::time::timeout;

const ASKER: usize = 0;
const OWNER: usize = 1;

#[message]
#[derive(Clone)]
struct Ring;

#[message]
struct Chime;

/// The bell that each alarm was given last, which hangs there for as long as its timer can ring it.
static BELLS: LazyLock<Mutex<HashMap<EntityId, Weak<()>>>> = LazyLock::new(Mutex::default);

/// Counts how often it has rung, and chimed.
#[persistent(rings, chimes)]
struct Alarm {
    id: EntityId,
    rings: u64,
    chimes: u64,
    bell: Option<Timer>,
}

#[actor(name = "timers.Alarm")]
impl Alarm {
    fn new(id: EntityId) -> Self {
        Self { id, rings: 0, chimes: 0, bell: None }
    }

    #[handler]
    fn ring(&mut self, _: Ring) {
        self.rings += 1;
    }

    #[handler]
    fn chime(&mut self, _: Chime) {
        self.chimes += 1;
    }

    #[message]
    fn chime_after(&mut self, delay: Duration, ctx: &mut Ctx<Self>) {
        ctx.after(delay, Chime);
    }

    #[message]
    fn ring_every(&mut self, period: Duration, ctx: &mut Ctx<Self>) {
        let bell = Arc::new(());
        BELLS.lock().unwrap().insert(self.id.clone(), Arc::downgrade(&bell));
        let ring = move || {
            let _rung = &bell;
            Ring
        };
        self.bell = Some(ctx.every_with(period, Skip, ring));
    }

    #[message]
    fn ring_then(&mut self, ctx: &mut Ctx<Self>) {
        ctx.pipe_to_self(tokio::task::yield_now(), |()| Ring);
    }

    #[message]
    fn silence(&mut self, ctx: &mut Ctx<Self>) -> bool {
        self.bell.take().is_some_and(|bell| ctx.cancel(bell))
    }

    /// How often it has rung, and chimed.
    #[message]
    fn counts(&self) -> (u64, u64) {
        (self.rings, self.chimes)
    }
}

const SOON: Duration = Duration::from_millis(10);
/// So many of those.
const LATER: u32 = 20;

/// An alarm that lives on its owner, as the asker and the owner call it.
async fn alarm(id: &str) -> (Cluster, [EntityRef<Alarm>; 2]) {
    let cluster = Cluster::start(3).await;
    let alarms = cluster.sharded::<Alarm>("alarm").await;
    let id = cluster.ids_led_by(OWNER, &alarms[ASKER], id).next().unwrap();
    let alarm = [ASKER, OWNER].map(|number| alarms[number].entity(id.as_str()));
    (cluster, alarm)
}

/// Waits until it has rung and chimed so often, and says how often it has by then.
async fn reaches(alarm: &EntityRef<Alarm>, rings: u64, chimes: u64) -> (u64, u64) {
    let reached = async {
        loop {
            let counts = alarm.counts().timeout(DEADLINE).await.unwrap();
            if counts.0 >= rings && counts.1 >= chimes {
                return counts;
            }
        }
    };
    timeout(DEADLINE, reached).await.expect("it rings, and chimes")
}

/// How often it rings while many periods pass. No timer of its own measures them: that would end if it moved.
async fn rings_meanwhile(alarm: &EntityRef<Alarm>) -> u64 {
    let (before, _) = alarm.counts().timeout(DEADLINE).await.unwrap();
    let begun = Instant::now();
    loop {
        let (rings, _) = alarm.counts().timeout(DEADLINE).await.unwrap();
        if begun.elapsed() >= SOON * LATER {
            return rings - before;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_timer_or_a_future_has_an_entity_do_is_kept_like_any_write() {
    let (mut cluster, [alarm, _]) = alarm("kept").await;
    alarm.chime_after(SOON).await.unwrap();
    reaches(&alarm, 0, 1).await;
    alarm.ring_then().await.unwrap();
    reaches(&alarm, 1, 1).await;
    cluster.crash(OWNER);
    assert_eq!(alarm.counts().timeout(DEADLINE).await, Ok((1, 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_of_an_entity_ends_when_the_entity_moves() {
    let (cluster, [alarm, there]) = alarm("moved").await;
    alarm.ring_every(SOON).await.unwrap();
    reaches(&alarm, 3, 0).await;
    cluster.tear_off(OWNER);
    alarm.counts().timeout(DEADLINE).await.unwrap();
    cluster.network.heal();
    // Its owner was the last to hear of the move. What comes now is behind all that the entity sent itself there.
    eventually(DEADLINE, "the timer is gone", || BELLS.lock().unwrap()[alarm.id()].strong_count() == 0).await;
    there.counts().timeout(DEADLINE).await.unwrap();
    assert_eq!(rings_meanwhile(&alarm).await, 0);
    assert_eq!(alarm.silence().await, Ok(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_of_an_entity_can_be_cancelled() {
    let (_cluster, [alarm, _]) = alarm("cancelled").await;
    alarm.ring_every(SOON).await.unwrap();
    reaches(&alarm, 3, 0).await;
    assert_eq!((alarm.silence().await, alarm.silence().await), (Ok(true), Ok(false)));
    let rings = rings_meanwhile(&alarm).await;
    assert!(rings <= 1, "one may have been on its way, and {rings} came");
}
