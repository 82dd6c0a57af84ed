//! Who watches an actor of another node is told of its end, once.

use std::sync::{Arc, Mutex};

use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use tokio::time::timeout;

use crate::support::{Echo, Watcher, carried, echo};

type Told = Arc<Mutex<Vec<Terminated>>>;

async fn watching(cluster: &Cluster, whom: &ActorRef<Echo>) -> (ActorRef<Watcher>, Told) {
    let told = Told::default();
    let watcher = cluster.node(1).spawn(Watcher(Arc::clone(&told))).await.unwrap();
    watcher.watch(whom.clone()).await.unwrap();
    (watcher, told)
}

fn count(told: &Told) -> usize {
    told.lock().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_is_told_once_that_the_actor_stopped_and_why() {
    let cluster = Cluster::start(2).await;
    let (near, far) = echo(&cluster).await;
    let (watcher, told) = watching(&cluster, &far).await;
    // A message behind the watch: it has arrived when this is answered.
    assert_eq!(far.half(2).await, Ok(1));
    near.stop();
    eventually(DEADLINE, "it is told", || count(&told) == 1).await;
    {
        let told = told.lock().unwrap();
        assert_eq!((&told[0].who, &told[0].reason), (&far.id(), &StopReason::Stopped));
    }
    // Who watches late is told at once, and of another actor nothing.
    let near = cluster.node(0).spawn(Echo::default()).await.unwrap();
    let failing = carried(&cluster, 0, 1, &near);
    watcher.watch(failing.clone()).await.unwrap();
    assert_eq!(failing.explode().await, Err(AskError::Failed));
    eventually(DEADLINE, "it is told of the other", || count(&told) == 2).await;
    assert!(matches!(&told.lock().unwrap()[1].reason, StopReason::Failed(failure) if failure.reason == "it explodes"));
    let (_late, late) = watching(&cluster, &far).await;
    eventually(DEADLINE, "a late watcher is told", || count(&late) == 1).await;
    assert_eq!(late.lock().unwrap()[0].reason, StopReason::Stopped);
    assert_eq!(count(&told), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_is_told_once_that_the_node_is_lost() {
    let mut cluster = Cluster::start(3).await;
    let (_near, far) = echo(&cluster).await;
    let (_watcher, told) = watching(&cluster, &far).await;
    assert_eq!(far.half(2).await, Ok(1));
    cluster.crash(0);
    eventually(DEADLINE, "it is told", || count(&told) == 1).await;
    timeout(DEADLINE, far.stopped()).await.unwrap();
    // Whether on shutdown of its tasks or by the membership: it is over, and told of once.
    assert!(matches!(told.lock().unwrap()[0].reason, StopReason::NodeLost | StopReason::Aborted | StopReason::Stopped));
    let (_late, late) = watching(&cluster, &far).await;
    eventually(DEADLINE, "a late watcher is told", || count(&late) == 1).await;
    assert_eq!(count(&told), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_outlives_a_broken_link_and_tells_what_happened_meanwhile() {
    let cluster = Cluster::start(2).await;
    let (near, far) = echo(&cluster).await;
    let (_watcher, told) = watching(&cluster, &far).await;
    assert_eq!(far.half(2).await, Ok(1));
    let address = cluster.node(1).address();
    // Nothing of node 0 arrives from now on, so that the word on the end is lost with the link.
    cluster.network.cut(0, &address);
    near.stop();
    near.stopped().await;
    assert_eq!(count(&told), 0);
    cluster.network.sever(0, &address);
    cluster.network.heal();
    eventually(DEADLINE, "it is told", || count(&told) == 1).await;
    let reason = told.lock().unwrap()[0].reason.clone();
    assert!(matches!(reason, StopReason::Stopped | StopReason::NodeLost), "{reason}");
}
