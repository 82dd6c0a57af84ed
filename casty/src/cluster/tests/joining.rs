//! How nodes find each other, and when they do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::support::{FaultyNet, MemoryNet, Node, Seen, full_mesh, mesh, settings, tcp};
use crate::base::{BoxError, NodeKey};
use crate::cluster::{Cluster, ClusterError, Discovery, Inbound, Kind, Net, PeerEvent};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

#[tokio::test]
async fn three_nodes_find_each_other_through_one_seed() {
    mesh(tcp(), &["a", "b", "c"]).await;
}

#[tokio::test(start_paused = true)]
async fn seven_nodes_find_each_other_through_one_seed() {
    mesh(Arc::new(MemoryNet::default()), &["a", "b", "c", "d", "e", "f", "g"]).await;
}

#[tokio::test]
async fn a_node_that_starts_before_its_seed_joins() {
    let free = tcp().bind("127.0.0.1:0").await.unwrap().port().unwrap();
    let seed = format!("127.0.0.1:{free}");
    let mut early = Node::start(tcp(), settings("early", std::slice::from_ref(&seed))).await;
    assert!(early.within(Duration::from_millis(300), |_| Some(())).await.is_none());
    let mut late = settings("late", &[]);
    late.bind = seed;
    let late = Node::start(tcp(), late).await;
    full_mesh(&mut [early, late]).await;
}

/// A registry that fails at first, knows nobody then, and changes later.
#[derive(Debug, Default)]
struct Registry {
    asked: AtomicUsize,
    known: Mutex<Vec<String>>,
}

#[derive(Debug)]
struct Shared(Arc<Registry>);

impl Discovery for Shared {
    fn addresses(&self) -> BoxFuture<'_, Result<Vec<String>, BoxError>> {
        async {
            match self.0.asked.fetch_add(1, Ordering::Relaxed) {
                0..3 => Err("the registry is not there yet".into()),
                _ => Ok(self.0.known.lock().clone()),
            }
        }
        .boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_is_asked_until_it_tells_where_the_others_are_and_when_they_move() {
    let (net, registry) = (Arc::new(MemoryNet::default()), Arc::<Registry>::default());
    let mut first = settings("a", &[]);
    first.discovery = Some(Arc::new(Shared(registry.clone())));
    let mut first = Node::start(net.clone(), first).await;
    assert_eq!(first.within(Duration::from_secs(60), |seen| Some(seen.clone())).await, None);
    assert!(registry.asked.load(Ordering::Relaxed) > 50, "it was not asked again");
    let second = Node::start(net.clone(), settings("b", &[])).await;
    registry.known.lock().push(second.addr());
    let mut nodes = [first, second];
    full_mesh(&mut nodes).await;
    // The one that was known goes, and another comes.
    let [mut first, second] = nodes;
    let gone = second.key();
    drop(second);
    first.told(PeerEvent::LinkDown(gone)).await;
    let third = Node::start(net, settings("c", &[])).await;
    *registry.known.lock() = vec![third.addr()];
    first.up(third.key()).await;
}

#[tokio::test]
async fn nodes_meet_over_ipv6() {
    let mut first = settings("a", &[]);
    first.bind = "[::1]:0".into();
    if let Err(error) = tcp().bind(&first.bind).await {
        return println!("skipped: this machine has no IPv6 ({error})");
    }
    let first = Node::start(tcp(), first).await;
    assert!(first.addr().starts_with("[::1]:"), "{}", first.addr());
    let mut second = settings("b", &[first.addr()]);
    second.bind = "[::1]:0".into();
    full_mesh(&mut [first, Node::start(tcp(), second).await]).await;
}

#[tokio::test]
async fn a_seed_is_found_by_the_name_of_its_host() {
    let first = Node::start(tcp(), settings("a", &[])).await;
    let by_name = first.addr().replace("127.0.0.1", "localhost");
    let second = Node::start(tcp(), settings("b", &[by_name])).await;
    full_mesh(&mut [first, second]).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_its_own_seed_has_peace_and_others_join_it() {
    let net = Arc::new(MemoryNet::default());
    let mut first = settings("first", &["127.0.0.1:77".to_owned()]);
    first.bind = "127.0.0.1:77".into();
    let first = Node::start(net.clone(), first).await;
    let second = Node::start(net, settings("second", &[first.addr(), "127.0.0.1:99".to_owned()])).await;
    full_mesh(&mut [first, second]).await;
}

#[tokio::test(start_paused = true)]
async fn nodes_of_two_clusters_stay_apart() {
    let net = Arc::new(MemoryNet::default());
    let mut bank = Node::start(net.clone(), settings("bank", &[])).await;
    let mut stranger = settings("shop", &[bank.addr()]);
    stranger.cluster_name = "shop".into();
    let mut stranger = Node::start(net, stranger).await;
    assert_eq!(stranger.within(Duration::from_secs(30), |seen| Some(seen.clone())).await, None);
    assert_eq!(bank.within(Duration::from_secs(1), |seen| Some(seen.clone())).await, None);
}

#[tokio::test]
async fn an_address_that_nobody_can_dial_is_refused_at_the_start() {
    struct Deaf;
    impl Inbound for Deaf {
        fn frame(&self, _: NodeKey, _: Kind, _: bytes::Bytes) {}
        fn event(&self, _: PeerEvent) {}
    }
    let at = |bind: &str| {
        let mut settings = settings("b", &[]);
        settings.bind = bind.to_owned();
        settings
    };
    let wildcard = Cluster::start(at("0.0.0.0:0"), tcp(), Arc::new(Deaf)).await;
    assert!(matches!(wildcard.err(), Some(ClusterError::Wildcard { .. })));
    let node = Node::start(tcp(), settings("a", &[])).await;
    let taken = Cluster::start(at(&node.addr()), tcp(), Arc::new(Deaf)).await;
    assert!(matches!(taken.err(), Some(ClusterError::Bind { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_nobody_reaches_does_not_flap() {
    let net = FaultyNet::new(Arc::new(MemoryNet::default()));
    let mut nodes = mesh(net.clone(), &["a", "b", "deaf"]).await;
    let deaf = nodes.pop().unwrap();
    let (key, addr) = (deaf.key(), deaf.addr());
    net.block(&addr);
    // It has dialled some of the others, and could do so again.
    for node in &nodes {
        net.cut(&node.addr());
    }
    for node in &mut nodes {
        node.down(key).await;
        let up = |seen: &Seen| matches!(seen, Seen::Event(PeerEvent::MemberUp(_))).then_some(());
        assert_eq!(node.within(Duration::from_secs(60), up).await, None, "the deaf node came back");
    }
    net.unblock(&addr);
    for node in &mut nodes {
        node.up(key).await;
    }
}

/// Whoever was there when they parted is gone: nobody is left who has heard that they declared each other down.
#[tokio::test(start_paused = true)]
async fn two_that_declared_each_other_down_meet_again_through_one_that_was_not_there() {
    let inner: Arc<dyn Net> = Arc::new(MemoryNet::default());
    // On the left, and on the right.
    let (left, right) = (FaultyNet::new(inner.clone()), FaultyNet::new(inner.clone()));
    let seed = Node::start(inner.clone(), settings("seed", &[])).await;
    let seeds = [seed.addr()];
    let mut nodes = [
        Node::start(left.clone(), settings("a", &seeds)).await,
        Node::start(left.clone(), settings("a's witness", &seeds)).await,
        Node::start(right.clone(), settings("b", &seeds)).await,
        Node::start(right.clone(), settings("b's witness", &seeds)).await,
        seed,
    ];
    full_mesh(&mut nodes).await;
    let [mut a, with_a, mut b, with_b, seed] = nodes;
    drop(seed);
    let keys = [&a, &with_a, &b, &with_b].map(|node| node.key());
    for (net, there) in [(&left, [&b, &with_b]), (&right, [&a, &with_a])] {
        there.iter().for_each(|node| net.block(&node.addr()));
    }
    all_down(&mut a, &keys[2..]).await;
    all_down(&mut b, &keys[..2]).await;
    // The witnesses hear of it until nobody says it any more.
    assert_eq!(a.within(Duration::from_secs(60), |_| None::<()>).await, None);
    drop((with_a, with_b));
    all_down(&mut a, &keys[1..2]).await;
    all_down(&mut b, &keys[3..]).await;
    left.unblock(&b.addr());
    right.unblock(&a.addr());
    let mut again = settings("seed", &[]);
    (again.bind, again.incarnation) = (seeds[0].clone(), 2);
    let _seed = Node::start(inner, again).await;
    a.up(keys[2]).await;
    b.up(keys[0]).await;
}

async fn all_down(node: &mut Node, others: &[NodeKey]) {
    let mut missing = others.to_vec();
    node.until("others are down", |seen| {
        if let Seen::Event(PeerEvent::MemberDown(member)) = seen {
            missing.retain(|key| *key != member.key);
        }
        missing.is_empty().then_some(())
    })
    .await;
}
