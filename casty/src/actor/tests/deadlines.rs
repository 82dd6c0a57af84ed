//! An ask ends within 20 ms after its deadline, and never before.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::time::Instant;

use super::probe::{DEADLINE, Probe, Wait, spawn};
use crate::actor::{ActorSystem, AskError};

#[tokio::test(start_paused = true)]
async fn an_ask_ends_within_20_ms_after_its_deadline_and_never_before() {
    let system = ActorSystem::new("test");
    for ms in [0, 1, 7, 10, 15, 99, 250, 5_000, 60_000] {
        let probe = system.spawn(Probe::new()).await.unwrap();
        // At another point of the sweeper's interval each time.
        tokio::time::advance(Duration::from_millis(3)).await;
        let (start, after) = (Instant::now(), Duration::from_millis(ms));
        assert_eq!(probe.ask(Wait).timeout(after).await, Err(AskError::Timeout { after }));
        let took = start.elapsed();
        assert!(took >= after && took <= after + Duration::from_millis(20), "{after:?} took {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_time_of_the_system_holds_for_an_ask_that_does_not_say() {
    let system = ActorSystem::builder("test").ask_timeout(Duration::from_millis(300)).build();
    let probe = system.spawn(Probe::new()).await.unwrap();
    let start = Instant::now();
    assert_eq!(probe.ask(Wait).await, Err(AskError::Timeout { after: Duration::from_millis(300) }));
    assert!(start.elapsed() <= Duration::from_millis(320));
}

#[tokio::test(start_paused = true)]
async fn thousands_of_asks_end_at_their_own_deadlines() {
    let (_system, probe) = spawn(1).await;
    let start = Instant::now();
    let asks = (0..5_000u64).map(|n| {
        let (probe, after) = (probe.clone(), Duration::from_millis(1 + n % 500));
        async move {
            probe.ask(Wait).timeout(after).await.unwrap_err();
            assert!(start.elapsed() >= after && start.elapsed() <= after + Duration::from_millis(20));
        }
    });
    let asks: Vec<_> = asks.map(tokio::spawn).collect();
    for ask in asks {
        ask.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_ticks_when_nobody_waits() {
    let (system, probe) = spawn(8).await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(system.spawn(Probe::new()).await.unwrap());
    }
    probe.ask(Wait).timeout(Duration::from_millis(5)).await.unwrap_err();
    // Long enough for the sweeper to see that nobody waits.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 1_001, "one task an actor and none besides");
    let metrics = Handle::current().metrics();
    let before = metrics.worker_park_count(0);
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(metrics.worker_park_count(0) - before < 10, "an hour without waking up");
    // And it is there again for the next.
    let other = &idle[0];
    assert!(other.ask(Wait).timeout(Duration::from_millis(5)).await.is_err());
}

#[test]
fn asks_end_on_a_second_runtime_after_the_first_is_gone() {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let system = ActorSystem::new("test");
        for _ in 0..2 {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let probe = system.spawn(Probe::new()).await.unwrap();
                let after = Duration::from_millis(30);
                assert_eq!(probe.ask(Wait).timeout(after).await, Err(AskError::Timeout { after }));
            });
        }
        done.send(()).unwrap();
    });
    ended.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn an_asker_outside_of_any_runtime_hears_of_its_deadline() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (system, probe) = runtime.block_on(spawn(8));
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let after = Duration::from_millis(30);
        let ask = probe.ask(Wait).timeout(after);
        done.send(futures_util::FutureExt::now_or_never(ask).is_none()).unwrap();
        let local = Builder::new_current_thread().build().unwrap();
        // A runtime without a timer: only the system's own can end it.
        done.send(local.block_on(probe.ask(Wait).timeout(after)) == Err(AskError::Timeout { after })).unwrap();
    });
    assert!(ended.recv_timeout(DEADLINE).unwrap());
    assert!(ended.recv_timeout(DEADLINE).unwrap());
    drop(system);
}
