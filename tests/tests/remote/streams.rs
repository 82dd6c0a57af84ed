//! Replies of many items from an actor of another node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use casty::prelude::*;
use casty::{ReplyStream, StreamError, StreamSender};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use tokio::time::timeout;

use crate::support::carried;

/// Answers with streams.
#[derive(Default)]
struct Source {
    made: Arc<AtomicU64>,
    followers: Vec<StreamSender<u64>>,
}

#[actor]
impl Source {
    /// All numbers from 0 on, each made when it is wanted; as many as are asked for.
    #[message]
    fn count(&self, to: u64) -> ReplyStream<u64> {
        let made = Arc::clone(&self.made);
        ReplyStream::from_iter((0..to).inspect(move |_| _ = made.fetch_add(1, Ordering::AcqRel)))
    }

    #[message]
    fn follow(&mut self) -> Result<ReplyStream<u64>, String> {
        let (sender, reply) = ReplyStream::channel(4);
        self.followers.push(sender);
        Ok(reply)
    }

    #[message]
    async fn publish(&mut self, n: u64) {
        for follower in &self.followers {
            let _ = follower.send(n).await;
        }
    }

    #[message]
    fn finish(&mut self) {
        self.followers.drain(..).for_each(StreamSender::finish);
    }

    #[message]
    fn followers(&mut self) -> usize {
        self.followers.retain(|follower| !follower.is_abandoned());
        self.followers.len()
    }

    #[message]
    fn broken(&self) -> ReplyStream<u64> {
        ReplyStream::from_iter((0..3).map(|n| if n == 2 { panic!("it cannot make 2") } else { n }))
    }
}

async fn source(cluster: &Cluster) -> (ActorRef<Source>, ActorRef<Source>, Arc<AtomicU64>) {
    let source = Source::default();
    let made = Arc::clone(&source.made);
    let near = cluster.node(0).spawn(source).await.unwrap();
    let far = carried(cluster, 0, 1, &near);
    (near, far, made)
}

async fn next(stream: &mut ReplyStream<u64>) -> Option<Result<u64, StreamError>> {
    timeout(DEADLINE, stream.next()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_comes_whole_and_in_order_and_is_not_made_ahead_of_its_asker() {
    let cluster = Cluster::start(2).await;
    let (_near, far, made) = source(&cluster).await;
    let mut numbers = far.count(1_000).await.unwrap();
    for n in 0..1_000 {
        assert_eq!(next(&mut numbers).await, Some(Ok(n)));
        let ahead = made.load(Ordering::Acquire) - n;
        assert!(ahead <= 33, "{ahead} items are ahead of the asker");
    }
    assert_eq!(next(&mut numbers).await, None);
    assert_eq!(next(&mut numbers).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn complete_and_broken_off_are_told_apart() {
    let cluster = Cluster::start(2).await;
    let (near, far, _) = source(&cluster).await;
    let (mut first, mut second) = (far.follow().await.unwrap(), far.follow().await.unwrap());
    near.publish(1).await.unwrap();
    assert_eq!((next(&mut first).await, next(&mut second).await), (Some(Ok(1)), Some(Ok(1))));
    drop(second);
    eventually(DEADLINE, "the other is pushed to as before", || near.try_send_publish(2)).await;
    near.finish().await.unwrap();
    let mut last = next(&mut first).await;
    while matches!(last, Some(Ok(_))) {
        last = next(&mut first).await;
    }
    assert_eq!(last, None, "complete");
    let mut third = far.follow().await.unwrap();
    near.stop();
    assert_eq!(next(&mut third).await, Some(Err(StreamError::Interrupted)));
    assert_eq!(next(&mut third).await, None);
}

trait TryPublish {
    fn try_send_publish(&self, n: u64) -> bool;
}

impl TryPublish for ActorRef<Source> {
    fn try_send_publish(&self, n: u64) -> bool {
        self.try_send(Publish { n }).is_ok()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_panics_while_it_makes_items_is_told() {
    let cluster = Cluster::start(2).await;
    let (_near, far, _) = source(&cluster).await;
    let mut broken = far.broken().await.unwrap();
    assert_eq!(next(&mut broken).await, Some(Ok(0)));
    assert_eq!(next(&mut broken).await, Some(Ok(1)));
    assert_eq!(next(&mut broken).await, Some(Err(StreamError::Failed)));
    assert_eq!(next(&mut broken).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_learns_that_its_asker_has_left() {
    let cluster = Cluster::start(2).await;
    let (near, far, _) = source(&cluster).await;
    let mut stream = far.follow().await.unwrap();
    near.publish(1).await.unwrap();
    assert_eq!(next(&mut stream).await, Some(Ok(1)));
    assert_eq!(near.followers().await, Ok(1));
    drop(stream);
    timeout(DEADLINE, async { while near.followers().await != Ok(0) {} }).await.unwrap();
    // One that was never asked for an item.
    drop(far.follow().await.unwrap());
    timeout(DEADLINE, async { while near.followers().await != Ok(0) {} }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_node_ends_its_streams_at_once() {
    let cluster = Cluster::start(2).await;
    let (near, far, _) = source(&cluster).await;
    let mut stream = far.follow().await.unwrap();
    near.publish(1).await.unwrap();
    assert_eq!(next(&mut stream).await, Some(Ok(1)));
    cluster.network.sever(0, &cluster.node(1).address());
    assert_eq!(next(&mut stream).await, Some(Err(StreamError::Lost)));
    assert_eq!(next(&mut stream).await, None);
    timeout(DEADLINE, async { while near.followers().await != Ok(0) {} }).await.unwrap();
}
