//! Topics of the whole cluster.

use std::sync::{Arc, Mutex};

use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};

#[message]
#[derive(Clone)]
struct Price(u64);

#[derive(Default)]
struct Display(Arc<Mutex<Vec<u64>>>);

#[actor]
impl Display {
    #[handler]
    fn price(&mut self, Price(price): Price) {
        self.0.lock().unwrap().push(price);
    }
}

async fn display(cluster: &Cluster, node: usize) -> (ActorRef<Display>, Arc<Mutex<Vec<u64>>>) {
    let display = Display::default();
    let shown = Arc::clone(&display.0);
    (cluster.node(node).spawn(display).await.unwrap(), shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_publishes_reaches_the_subscribers_of_all_in_order() {
    let cluster = Cluster::start(3).await;
    let (mut displays, mut shown) = (Vec::new(), Vec::new());
    for node in 0..3 {
        let (display, prices) = display(&cluster, node).await;
        assert!(cluster.node(node).topic::<Price>("prices").unwrap().subscribe(&display));
        displays.push(display);
        shown.push(prices);
    }
    let prices = cluster.node(1).topic::<Price>("prices").unwrap();
    eventually(DEADLINE, "the others have told of their subscribers", || prices.nodes() == 2).await;
    for n in 0..500 {
        let reached = prices.publish(Price(n));
        assert_eq!((reached.here, reached.nodes), (1, 2));
    }
    let all: Vec<_> = (0..500).collect();
    eventually(DEADLINE, "all are shown everywhere, in order", || {
        shown.iter().all(|shown| *shown.lock().unwrap() == all)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_subscribers_gets_nothing() {
    let cluster = Cluster::start(2).await;
    let (first, _) = display(&cluster, 0).await;
    let (there, here) = (cluster.node(0).topic::<Price>("p").unwrap(), cluster.node(1).topic::<Price>("p").unwrap());
    assert_eq!(here.publish(Price(1)).nodes, 0);
    there.subscribe(&first);
    eventually(DEADLINE, "it is told of", || here.nodes() == 1).await;
    assert!(there.unsubscribe(&first));
    eventually(DEADLINE, "it is told of again", || here.nodes() == 0).await;
    // Of one that has stopped its node learns when it is published to.
    there.subscribe(&first);
    eventually(DEADLINE, "it is told of once more", || here.nodes() == 1).await;
    first.stop();
    first.stopped().await;
    here.publish(Price(2));
    eventually(DEADLINE, "its end is noticed", || here.nodes() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_outlive_a_broken_link_and_go_with_their_node() {
    let mut cluster = Cluster::start(3).await;
    let (far, shown) = display(&cluster, 0).await;
    cluster.node(0).topic::<Price>("p").unwrap().subscribe(&far);
    let here = cluster.node(1).topic::<Price>("p").unwrap();
    eventually(DEADLINE, "it is told of", || here.nodes() == 1).await;
    cluster.network.sever(1, &cluster.node(0).address());
    eventually(DEADLINE, "it gets something again", || {
        here.publish(Price(1));
        !shown.lock().unwrap().is_empty()
    })
    .await;
    cluster.crash(0);
    eventually(DEADLINE, "nobody is left", || here.nodes() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_of_another_node_is_let_go_when_it_has_stopped() {
    let cluster = Cluster::start(2).await;
    let shown = Arc::<Mutex<Vec<u64>>>::default();
    let display = cluster.node(0).spawn(Display(Arc::clone(&shown))).named("display").await.unwrap();
    let far = cluster.node(1).lookup::<Display>("display").await.unwrap();
    let (there, here) = (cluster.node(1).topic::<Price>("p").unwrap(), cluster.node(0).topic::<Price>("p").unwrap());
    assert!(there.subscribe(&far) && !there.subscribe(&far));
    eventually(DEADLINE, "it is told of", || here.nodes() == 1).await;
    assert_eq!(there.publish(Price(1)).here, 1);
    eventually(DEADLINE, "it is shown", || *shown.lock().unwrap() == [1]).await;
    display.stop();
    display.stopped().await;
    // Its node says so to whoever sends to it.
    eventually(DEADLINE, "nobody subscribes any more", || {
        here.publish(Price(2));
        here.nodes() == 0
    })
    .await;
}
