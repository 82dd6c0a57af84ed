//! How nodes go, and who takes their place.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::support::{FaultyNet, MemoryNet, Node, Seen, frame, mesh, settings, tcp};
use crate::cluster::{Kind, Lane, PeerEvent, SendFailure};

#[tokio::test]
async fn a_killed_node_is_declared_down_within_four_seconds() {
    let mut nodes = mesh(tcp(), &["a", "b", "c"]).await;
    let victim = nodes.pop().unwrap();
    let (key, killed) = (victim.key(), Instant::now());
    drop(victim);
    for node in &mut nodes {
        node.told(PeerEvent::LinkDown(key)).await;
        node.down(key).await;
        assert!(killed.elapsed() < Duration::from_secs(4), "{:?}", killed.elapsed());
        assert_eq!(node.cluster.members().len(), 2);
        assert!(!node.cluster.is_linked(key) && node.cluster.member(key).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_is_gone_at_once_and_stays_away() {
    let mut nodes = mesh(Arc::new(MemoryNet::default()), &["a", "b", "c"]).await;
    let leaver = nodes.pop().unwrap();
    let begun = Instant::now();
    leaver.cluster.shutdown().await;
    for node in &mut nodes {
        node.down(leaver.key()).await;
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    }
    for node in &mut nodes {
        let up = |seen: &Seen| matches!(seen, Seen::Event(PeerEvent::MemberUp(_))).then_some(());
        assert_eq!(node.within(Duration::from_secs(30), up).await, None);
    }
}

#[tokio::test]
async fn a_later_life_replaces_the_earlier() {
    let mut nodes = mesh(tcp(), &["a", "b", "c"]).await;
    let old = nodes.pop().unwrap();
    let (old_key, seeds) = (old.key(), [nodes[0].addr()]);
    drop(old);
    let mut again = settings("c", &seeds);
    again.incarnation = 2;
    let new = Node::start(tcp(), again).await;
    for node in &mut nodes {
        node.up(new.key()).await;
        node.down(old_key).await;
        let ids: Vec<_> =
            node.cluster.members().iter().map(|member| (member.id.to_string(), member.incarnation)).collect();
        assert_eq!(ids, [("a".to_owned(), 1), ("b".to_owned(), 1), ("c".to_owned(), 2)]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_life_that_still_runs_ends_its_part_and_is_told() {
    let net = Arc::new(MemoryNet::default());
    let mut nodes = mesh(net.clone(), &["a", "b", "c"]).await;
    let mut old = nodes.pop().unwrap();
    let mut again = settings("c", &[nodes[0].addr()]);
    again.incarnation = 2;
    let mut new = Node::start(net, again).await;
    let by = old
        .until("superseded", |seen| match seen {
            Seen::Event(PeerEvent::Superseded(by)) => Some(by.clone()),
            _ => None,
        })
        .await;
    assert_eq!(by.key, new.key());
    for node in &mut nodes {
        new.up(node.key()).await;
        node.up(new.key()).await;
        let down =
            |seen: &Seen| matches!(seen, Seen::Event(PeerEvent::MemberDown(gone)) if gone.key == by.key).then_some(());
        assert_eq!(node.within(Duration::from_secs(20), down).await, None, "the new life was hurt by the old");
    }
}

#[tokio::test(start_paused = true)]
async fn the_halves_of_a_cluster_join_again_after_a_partition() {
    let net = FaultyNet::new(Arc::new(MemoryNet::default()));
    let mut nodes = mesh(net.clone(), &["a", "b", "c", "d"]).await;
    let addrs: Vec<String> = nodes.iter().map(Node::addr).collect();
    let keys: Vec<_> = nodes.iter().map(Node::key).collect();
    for addr in &addrs {
        net.block(addr);
    }
    for node in &mut nodes {
        let me = node.key();
        for key in keys.iter().copied().filter(|key| *key != me) {
            node.down(key).await;
        }
    }
    for addr in &addrs {
        net.unblock(addr);
    }
    for node in &mut nodes {
        let me = node.key();
        for key in keys.iter().copied().filter(|key| *key != me) {
            node.up(key).await;
        }
    }
}

/// What a node has queued when it leaves arrives, also where peers send to it without a break: were its connections closed with
/// something unread, they would be reset.
#[tokio::test]
async fn what_a_node_has_queued_when_it_leaves_arrives_while_others_send_to_it() {
    const FRAMES: u32 = 200;
    for round in 0..10 {
        let mut nodes = mesh(tcp(), &["a", "b"]).await;
        // Whichever of the two dialled.
        let leaver = nodes.remove(round % 2);
        let [mut stays] = <[Node; 1]>::try_from(nodes).ok().unwrap();
        let (from, to) = (leaver.key(), stays.key());
        let sending = stays.cluster.clone();
        let flood = std::thread::spawn(move || {
            let chunk = |out: &mut Vec<u8>| out.resize(out.len() + 10_000, 1);
            while !matches!(sending.send(from, Lane::Bulk, Kind::ENTITY, chunk), Err(SendFailure::NotConnected)) {}
        });
        leaver.cluster.room(to).await;
        for n in 0..FRAMES {
            let body = |out: &mut Vec<u8>| {
                out.extend(n.to_le_bytes());
                out.resize(out.len() + 20_000, 7);
            };
            leaver.cluster.send(to, Lane::Bulk, Kind::ENTITY, body).unwrap();
        }
        leaver.cluster.shutdown().await;
        for n in 0..FRAMES {
            let body = stays.until("a frame of the leaver", frame(from, Kind::ENTITY)).await;
            assert_eq!(body[..4], n.to_le_bytes(), "round {round}");
        }
        flood.join().unwrap();
    }
}

/// The one that has less to say closes first, and still reads.
#[tokio::test]
async fn what_two_have_queued_that_leave_at_once_arrives() {
    const FRAMES: u32 = 200;
    for round in 0..10 {
        let mut nodes = mesh(tcp(), &["a", "b"]).await;
        let (sender, receiver) = (round % 2, 1 - round % 2);
        let (from, to) = (nodes[sender].key(), nodes[receiver].key());
        for n in 0..FRAMES {
            let body = |out: &mut Vec<u8>| {
                out.extend(n.to_le_bytes());
                out.resize(out.len() + 20_000, 7);
            };
            nodes[sender].cluster.send(to, Lane::Bulk, Kind::ENTITY, body).unwrap();
        }
        tokio::join!(nodes[receiver].cluster.shutdown(), nodes[sender].cluster.shutdown());
        for n in 0..FRAMES {
            let body = nodes[receiver].until("a frame", frame(from, Kind::ENTITY)).await;
            assert_eq!(body[..4], n.to_le_bytes(), "round {round}");
        }
    }
}
