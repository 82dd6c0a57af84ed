//! How nodes find each other, and when they do not.

use std::sync::Arc;
use std::time::Duration;

use super::support::{FaultyNet, MemoryNet, Node, Seen, full_mesh, mesh, settings, tcp};
use crate::base::NodeKey;
use crate::cluster::{Cluster, ClusterError, Inbound, Kind, PeerEvent};

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
