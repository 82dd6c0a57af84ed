//! Replies of many items.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use casty::actor::StreamSendError;
use casty::prelude::*;
use casty::{ReplyStream, StreamError, StreamSender};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::Instant;

use crate::support::soon;

/// Counts, and tells its subscribers.
struct Counter {
    count: u64,
    made: Arc<AtomicU64>,
    subscribers: Vec<StreamSender<u64>>,
}

#[actor(local)]
impl Counter {
    /// All numbers; each is made when it is wanted.
    #[message]
    fn numbers(&self) -> ReplyStream<u64> {
        let (first, made) = (self.count, self.made.clone());
        ReplyStream::from_iter((first..).inspect(move |_| _ = made.fetch_add(1, Ordering::Relaxed)))
    }

    /// What the count will be, from now on.
    #[message]
    fn subscribe(&mut self, capacity: usize) -> ReplyStream<u64> {
        let (sender, reply) = ReplyStream::channel(capacity);
        self.subscribers.push(sender);
        reply
    }

    /// Says how many subscribers have left.
    #[message]
    async fn count(&mut self) -> usize {
        self.count += 1;
        let mut left = 0;
        for subscriber in &self.subscribers {
            left += usize::from(subscriber.send(self.count).await.is_err());
        }
        left
    }

    #[message]
    fn try_count(&mut self) -> Result<(), StreamSendError<u64>> {
        self.count += 1;
        self.subscribers.iter().try_for_each(|subscriber| subscriber.try_send(self.count))
    }

    #[message]
    fn finish(&mut self) {
        self.subscribers.drain(..).for_each(StreamSender::finish);
    }

    #[message]
    fn broken(&self) -> ReplyStream<u64> {
        ReplyStream::new(stream::iter([1, 2, 3]).map(|n| if n == 2 { panic!("it cannot make 2") } else { n }))
    }

    #[message]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new("told to"));
    }

    #[message]
    fn refused(&self) -> Result<ReplyStream<u64>, &'static str> {
        Err("not today")
    }
}

async fn counter() -> (ActorSystem, ActorRef<Counter>, Arc<AtomicU64>) {
    let (system, made) = (ActorSystem::new("test"), Arc::new(AtomicU64::new(0)));
    let numbers = made.clone();
    let make = move || Counter { count: 0, made: numbers.clone(), subscribers: Vec::new() };
    let counter = system.spawn_with(make).await.unwrap();
    (system, counter, made)
}

#[tokio::test(start_paused = true)]
async fn an_item_is_made_when_the_asker_wants_it() {
    let (_system, counter, made) = counter().await;
    let mut numbers = counter.numbers().await.unwrap();
    // The actor is free meanwhile.
    assert_eq!(counter.count().await, Ok(0));
    assert_eq!(made.load(Ordering::Relaxed), 0);
    for n in 0..5 {
        assert_eq!(numbers.next().await, Some(Ok(n)));
    }
    assert_eq!(made.load(Ordering::Relaxed), 5);
    // It is a stream as any other.
    assert_eq!(numbers.take(2).collect::<Vec<_>>().await, [Ok(5), Ok(6)]);
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_is_ahead_of_its_asker_waits_and_no_item_is_lost() {
    let (_system, counter, _) = counter().await;
    let mut counts = counter.subscribe(2).await.unwrap();
    let (first, second) = (counter.count().await, counter.count().await);
    assert_eq!((first, second), (Ok(0), Ok(0)));
    assert!(matches!(counter.try_count().await, Err(AskError::Handler(StreamSendError::Full(3)))));
    let mut third = counter.count().boxed();
    assert!(tokio::time::timeout(Duration::from_secs(1), third.as_mut()).await.is_err(), "it was ahead of its asker");
    assert_eq!(counts.next().await, Some(Ok(1)));
    assert_eq!(soon(third).await, Ok(0));
    soon(counter.finish()).await.unwrap();
    assert_eq!(counts.collect::<Vec<_>>().await, [Ok(2), Ok(4)]);
}

#[tokio::test(start_paused = true)]
async fn an_asker_that_leaves_lets_the_actor_go_on_and_hands_the_item_back() {
    let (_system, counter, _) = counter().await;
    let counts = counter.subscribe(1).await.unwrap();
    assert_eq!(counter.count().await, Ok(0));
    let mut waiting = counter.count().boxed();
    assert!(tokio::time::timeout(Duration::from_secs(1), waiting.as_mut()).await.is_err());
    drop(counts);
    assert_eq!(soon(waiting).await, Ok(1));
    assert!(matches!(counter.try_count().await, Err(AskError::Handler(StreamSendError::Abandoned(3)))));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_breaks_off_is_told_from_one_that_is_complete() {
    let (_system, counter, _) = counter().await;
    // It is made anew: what the old instance had begun is over.
    let mut restarted = counter.subscribe(5).await.unwrap();
    assert_eq!(counter.count().await, Ok(0));
    assert_eq!(soon(counter.fail()).await, Err(AskError::Failed));
    assert_eq!(restarted.next().await, Some(Ok(1)));
    assert_eq!(soon(restarted.next()).await, Some(Err(StreamError::Interrupted)));
    // The actor stops: what was sent still arrives.
    let stopped = counter.subscribe(5).await.unwrap();
    assert_eq!(counter.count().await, Ok(0));
    counter.stop();
    assert_eq!(soon(stopped.collect::<Vec<_>>()).await, [Ok(1), Err(StreamError::Interrupted)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_panics_fails_its_asker_with_an_error_and_not_with_a_panic() {
    let (_system, counter, _) = counter().await;
    let mut broken = counter.broken().await.unwrap();
    assert_eq!(broken.next().await, Some(Ok(1)));
    assert_eq!(broken.next().await, Some(Err(StreamError::Failed)));
    assert_eq!(broken.next().await, None);
    assert_eq!(counter.refused().await.unwrap_err(), AskError::Handler("not today"));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_takes_too_long_ends_the_stream_and_tells_the_actor() {
    let (_system, counter, _) = counter().await;
    let after = Duration::from_secs(3);
    let mut counts = counter.subscribe(5).await.unwrap().item_timeout(after);
    for n in 1..4 {
        // The time runs while an item is waited for, and anew for each.
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(counter.count().await, Ok(0));
        assert_eq!(StreamExt::next(&mut counts).await, Some(Ok(n)));
    }
    let begun = Instant::now();
    assert_eq!(soon(counts.next()).await, Some(Err(StreamError::Timeout { after })));
    assert!(begun.elapsed() >= after && begun.elapsed() < after + Duration::from_millis(20), "{:?}", begun.elapsed());
    assert_eq!(counts.next().await, None);
    assert_eq!(counter.count().await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_never_made_ends_the_stream_too() {
    let after = Duration::from_secs(3);
    let mut never = ReplyStream::<u64>::new(stream::pending()).item_timeout(after);
    assert_eq!(soon(never.next()).await, Some(Err(StreamError::Timeout { after })));
}

#[tokio::test(start_paused = true)]
async fn who_fills_a_stream_learns_that_its_asker_has_left() {
    let (sender, reply) = ReplyStream::<u64>::channel(1);
    assert!(!sender.is_abandoned());
    let (ended, ()) = tokio::join!(soon(sender.abandoned()), async { drop(reply) });
    assert_eq!((ended, sender.is_abandoned()), ((), true));
}

/// What is left of it panics as it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("a mine"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_panics_as_it_is_dropped_is_not_the_askers_panic() {
    let mine = Mine;
    let mut items = ReplyStream::from_iter((0..2).inspect(move |_| _ = &mine));
    for n in 0..2 {
        assert_eq!(items.next().await, Some(Ok(n)));
    }
    assert_eq!(items.next().await, None);
}
