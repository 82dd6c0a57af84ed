//! What a restart keeps, how often there is one, and how fast.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use casty::prelude::*;
use casty::{LookupError, SpawnError};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::{Worker, diary, soon};

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_reference_the_name_and_the_queue_but_not_the_message_that_failed() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let worker = system.spawn_with(move || Worker::new("w", &notes)).named("w").await.unwrap();
    let (open, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    read.expect(&["w made", "w starts", "w waits"]).await;
    let queued = async {
        let before = worker.work(1);
        let failed = worker.fail();
        let after = worker.work(2);
        tokio::join!(before, failed, after, async { open.send(()).unwrap() })
    };
    let (before, failed, after, ()) = soon(queued).await;
    assert_eq!((before, failed, after), (Ok(0), Err(AskError::Failed), Ok(0)), "the second counts from 0 again");
    read.expect(&["w works 1", "w stops", "w dropped", "w made", "w starts", "w works 2"]).await;
    assert_eq!(system.lookup::<Worker>("w").unwrap().id(), worker.id());
    assert_eq!(system.dead_letters().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_on_error_an_actor_restarts_if_it_can() {
    struct Plain;
    #[actor(local)]
    impl Plain {
        #[message]
        fn boom(&mut self) {
            std::panic::resume_unwind(Box::new("boom"));
        }
        #[message]
        fn alive(&self) -> bool {
            true
        }
    }
    let system = ActorSystem::new("test");
    let anew = system.spawn_with(|| Plain).await.unwrap();
    assert_eq!(anew.boom().await, Err(AskError::Failed));
    assert_eq!(anew.alive().await, Ok(true));
    let by_value = system.spawn(Plain).await.unwrap();
    assert_eq!(by_value.boom().await, Err(AskError::Failed));
    assert_eq!(by_value.alive().await, Err(AskError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_fails_too_often_stops_and_frees_its_name() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let restarts = Restarts::at_most(2, Duration::from_secs(30));
    let worker = system.spawn_with(move || Worker::new("w", &notes)).restarts(restarts).named("w").await.unwrap();
    for _ in 0..3 {
        assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    }
    soon(worker.stopped()).await;
    assert_eq!(read.rest().iter().filter(|line| *line == "w made").count(), 3);
    assert_eq!(worker.work(1).await, Err(AskError::Stopped));
    assert!(matches!(system.lookup::<Worker>("w"), Err(LookupError::NotFound { .. })));
}

#[tokio::test(start_paused = true)]
async fn restarts_before_the_window_do_not_count() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    let restarts = Restarts::at_most(2, Duration::from_secs(30));
    let worker = system.spawn_with(move || Worker::new("w", &notes)).restarts(restarts).await.unwrap();
    for _ in 0..10 {
        assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
        tokio::time::advance(Duration::from_secs(16)).await;
    }
    assert_eq!(soon(worker.work(1)).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn each_restart_waits_longer_up_to_the_longest() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    let (first, longest) = (Duration::from_millis(100), Duration::from_millis(1_000));
    let restarts = Restarts::at_most(20, Duration::from_secs(3_600)).backoff(first, longest);
    let worker = system.spawn_with(move || Worker::new("w", &notes)).restarts(restarts).await.unwrap();
    for n in 0..8 {
        assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
        let begun = Instant::now();
        soon(worker.work(1)).await.unwrap();
        let (waited, full) = (begun.elapsed(), (first * 2u32.pow(n)).min(longest));
        let slack = Duration::from_millis(2);
        assert!(waited + slack >= full / 2 && waited <= full + slack, "restart {n}: {waited:?} of {full:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_before_a_restart() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let day = Duration::from_secs(24 * 3_600);
    let restarts = Restarts::default().backoff(day, day);
    let worker = system.spawn_with(move || Worker::new("w", &notes)).restarts(restarts).await.unwrap();
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    read.expect(&["w made", "w starts", "w stops", "w dropped"]).await;
    worker.stop();
    soon(worker.stopped()).await;
    assert!(read.rest().is_empty(), "an instance that is gone does not stop again");
}

#[tokio::test(start_paused = true)]
async fn an_on_start_that_fails_in_a_restart_is_tried_again() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let made = AtomicU32::new(0);
    let make = move || {
        let mut worker = Worker::new("w", &notes);
        worker.lame = (1..3).contains(&made.fetch_add(1, Ordering::Relaxed));
        worker
    };
    let worker = system.spawn_with(make).await.unwrap();
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    assert_eq!(soon(worker.work(7)).await, Ok(0));
    read.expect(&["w made", "w starts", "w stops", "w dropped"]).await;
    for _ in 0..2 {
        read.expect(&["w made", "w starts", "w dropped"]).await;
    }
    read.expect(&["w made", "w starts", "w works 7"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_panics_fails_the_spawn_and_counts_as_a_failure_later() {
    let system = ActorSystem::new("test");
    let broken = Arc::new(AtomicBool::new(true));
    let (notes, _read) = diary();
    let make = {
        let broken = broken.clone();
        move || {
            if broken.load(Ordering::Relaxed) {
                std::panic::resume_unwind(Box::new("no material"));
            }
            Worker::new("w", &notes)
        }
    };
    let refused = system.spawn_with(make.clone()).named("w").await.unwrap_err();
    assert_eq!(refused, SpawnError::Panicked { reason: "no material".to_owned() });
    broken.store(false, Ordering::Relaxed);
    let restarts = Restarts::at_most(3, Duration::from_secs(60));
    let worker = system.spawn_with(make).named("w").restarts(restarts).await.unwrap();
    broken.store(true, Ordering::Relaxed);
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    soon(worker.stopped()).await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_the_mailbox_of_an_actor_that_gives_up_is_told_at_once() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    let restarts = Restarts::at_most(0, Duration::from_secs(1));
    let worker = system.spawn_with(move || Worker::new("w", &notes)).restarts(restarts).await.unwrap();
    let asks = async { tokio::join!(worker.fail(), worker.work(1)) };
    let begun = Instant::now();
    assert_eq!(soon(asks).await, (Err(AskError::Failed), Err(AskError::Stopped)));
    assert!(begun.elapsed() < Duration::from_millis(100));
}
