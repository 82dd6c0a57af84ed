//! What links carry, and what they survive.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::support::{DEADLINE, FaultyNet, MemoryNet, Node, Seen, mesh, say_hello, settings, tcp, trust};
use crate::base::NodeKey;
use crate::cluster::transport::{Greeted, Guest, receive};
use crate::cluster::trust::Guarded;
use crate::cluster::{Kind, Lane, Member, PeerEvent, Role, SendFailure};
use crate::wire::{FRAME_BYTES_MAX, HandshakeError, Hello, Purpose, Versions, append};

fn frame(from: NodeKey, of: Kind) -> impl FnMut(&Seen) -> Option<Bytes> {
    move |seen| match seen {
        Seen::Frame(key, kind, body) if (*key, *kind) == (from, of) => Some(body.clone()),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_made_again_and_carries_frames() {
    let net = FaultyNet::new(Arc::new(MemoryNet::default()));
    let mut nodes = mesh(net.clone(), &["a", "b"]).await;
    let (a, b) = (nodes[0].key(), nodes[1].key());
    for round in 0..3u8 {
        net.cut(&nodes[1].addr());
        nodes[0].told(PeerEvent::LinkDown(b)).await;
        nodes[1].told(PeerEvent::LinkDown(a)).await;
        nodes[0].told(PeerEvent::LinkUp(b)).await;
        nodes[1].told(PeerEvent::InUp(a)).await;
        nodes[0].cluster.send(b, Lane::Bulk, Kind::ENTITY, |out| out.push(round)).unwrap();
        assert_eq!(nodes[1].until("a frame", frame(a, Kind::ENTITY)).await, [round][..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_leads_nowhere_is_given_up_though_it_takes_bytes() {
    let net = FaultyNet::new(Arc::new(MemoryNet::default()));
    let mut nodes = mesh(net.clone(), &["a", "b"]).await;
    let (b, begun) = (nodes[1].key(), Instant::now());
    for node in &nodes {
        net.swallow(&node.addr());
    }
    nodes[0].told(PeerEvent::LinkDown(b)).await;
    nodes[0].told(PeerEvent::LinkDown(b)).await;
    assert!(begun.elapsed() < Duration::from_secs(2) && !nodes[0].cluster.is_connected(b));
    for node in &nodes {
        net.unblock(&node.addr());
    }
    nodes[0].told(PeerEvent::LinkUp(b)).await;
    nodes[0].told(PeerEvent::InUp(b)).await;
}

#[tokio::test]
async fn frames_of_one_sender_and_lane_keep_their_order() {
    const SENDERS: u32 = 4;
    const FRAMES: u32 = 2_000;
    let mut nodes = mesh(tcp(), &["a", "b"]).await;
    let (a, b) = (nodes[0].key(), nodes[1].key());
    let threads: Vec<_> = (0..SENDERS)
        .flat_map(|sender| [(sender, Lane::Control, Kind::RAFT), (sender, Lane::Bulk, Kind::ENTITY)])
        .map(|(sender, lane, kind)| {
            let cluster = nodes[0].cluster.clone();
            std::thread::spawn(move || {
                for n in 0..FRAMES {
                    let body = [sender.to_le_bytes(), n.to_le_bytes()].concat();
                    cluster.send(b, lane, kind, |out| out.extend_from_slice(&body)).unwrap();
                }
            })
        })
        .collect();
    for kind in [Kind::RAFT, Kind::ENTITY] {
        let mut next = [0u32; SENDERS as usize];
        for _ in 0..SENDERS * FRAMES {
            let body = nodes[1].until("a frame", frame(a, kind)).await;
            let (sender, n) = body.split_at(4);
            let sender = u32::from_le_bytes(sender.try_into().unwrap()) as usize;
            assert_eq!(u32::from_le_bytes(n.try_into().unwrap()), next[sender]);
            next[sender] += 1;
        }
        assert_eq!(next, [FRAMES; SENDERS as usize]);
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_large_frame_arrives_and_a_larger_one_is_refused() {
    let mut nodes = mesh(tcp(), &["a", "b"]).await;
    let (a, b) = (nodes[0].key(), nodes[1].key());
    let send = |bytes| nodes[0].cluster.send(b, Lane::Bulk, Kind::ENTITY, |out| out.resize(out.len() + bytes, 7));
    assert_eq!(
        send(FRAME_BYTES_MAX + 1),
        Err(SendFailure::TooLarge { bytes: FRAME_BYTES_MAX + 1, max: FRAME_BYTES_MAX })
    );
    send(FRAME_BYTES_MAX).unwrap();
    let body = nodes[1].until("the large frame", frame(a, Kind::ENTITY)).await;
    assert_eq!(body.len(), FRAME_BYTES_MAX);
    assert!(body.iter().all(|byte| *byte == 7));
    let nobody = nodes[0].cluster.send(NodeKey(1), Lane::Bulk, Kind::ENTITY, |_| {});
    assert_eq!(nobody, Err(SendFailure::NotConnected));
}

/// A link to a node, in the hands of somebody who is none.
pub(super) struct Forged {
    control: Greeted,
    bulk: Greeted,
}

impl Forged {
    /// Writes on both lanes.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        for lane in [&mut self.control, &mut self.bulk] {
            lane.writer.write_all(bytes).await.unwrap();
        }
    }
}

/// A peer of our own making that has linked to the node and can send it any bytes.
async fn stranger(node: &mut Node, nonce: u64) -> (NodeKey, Forged) {
    let member = Member::new("stranger".into(), 1, "127.0.0.1:1", Role::Replica);
    let mut link = linked(node, &member, nonce).await;
    link.write(&ping()).await;
    node.told(PeerEvent::InUp(member.key)).await;
    (member.key, link)
}

/// A link to the node that was let in, and on which nothing was sent.
pub(super) async fn linked(node: &Node, member: &Member, nonce: u64) -> Forged {
    let to = node.key();
    let control = lane(node, member, Purpose::Link { to, nonce }).await.unwrap();
    Forged { control, bulk: lane(node, member, Purpose::Bulk { to, nonce }).await.unwrap() }
}

async fn lane(node: &Node, member: &Member, purpose: Purpose) -> Result<Greeted, HandshakeError> {
    let hello = Hello { cluster_name: "bank".into(), member: member.clone(), purpose };
    say_hello(&node.addr(), &trust(None, Versions::CURRENT), &hello).await
}

/// Lets a node's link to `me` in, both lanes of it.
pub(super) async fn let_in(listener: &TcpListener, me: &Member) -> [Guest; 2] {
    let mut lanes = Vec::new();
    for _ in 0..2 {
        let (stream, _) = listener.accept().await.unwrap();
        let mut lane = receive(Guarded::plain(Box::new(stream)), &trust(None, Versions::CURRENT)).await.unwrap();
        lane.welcome(me).await.unwrap();
        lanes.push(lane);
    }
    lanes.try_into().ok().unwrap()
}

pub(super) fn ping() -> Vec<u8> {
    let mut ping = Vec::new();
    append(&mut ping, Kind::PING, 0, |_| {}).unwrap();
    ping
}

/// What is asked of a peer before it knows that its link is open is answered by nobody: it has nothing to answer on.
#[tokio::test]
async fn a_link_counts_when_its_dialler_knows_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut node = Node::start(tcp(), settings("a", &[])).await;
    let addr = listener.local_addr().unwrap().to_string();
    let member = Member::new("stranger".into(), 1, &addr, Role::Replica);
    let mut link = linked(&node, &member, 1).await;
    // The node dials back, so that its own direction is open.
    let _back = let_in(&listener, &member).await;
    node.told(PeerEvent::LinkUp(member.key)).await;
    assert!(node.cluster.is_connected(member.key) && !node.cluster.is_linked(member.key));
    link.write(&ping()).await;
    node.told(PeerEvent::InUp(member.key)).await;
    assert!(node.cluster.is_linked(member.key));
}

#[tokio::test]
async fn a_link_is_open_with_both_lanes_and_ends_with_either() {
    let mut node = Node::start(tcp(), settings("a", &[])).await;
    let member = Member::new("stranger".into(), 1, "127.0.0.1:1", Role::Replica);
    let to = node.key();
    let early = lane(&node, &member, Purpose::Bulk { to, nonce: 1 }).await;
    assert!(matches!(early, Err(HandshakeError::StaleLink)), "a bulk lane without a link");
    for (round, lost_is_bulk) in [true, false].into_iter().enumerate() {
        let nonce = 1 + round as u64;
        let mut control = lane(&node, &member, Purpose::Link { to, nonce }).await.unwrap();
        control.writer.write_all(&ping()).await.unwrap();
        let other = lane(&node, &member, Purpose::Bulk { to, nonce: nonce + 7 }).await;
        assert!(matches!(other, Err(HandshakeError::StaleLink)), "the bulk lane of another link");
        assert!(!node.cluster.is_linked(member.key));
        let mut bulk = lane(&node, &member, Purpose::Bulk { to, nonce }).await.unwrap();
        bulk.writer.write_all(&ping()).await.unwrap();
        node.told(PeerEvent::InUp(member.key)).await;
        let (mut lost, mut kept) = if lost_is_bulk { (bulk, control) } else { (control, bulk) };
        // What is no frame breaks the one lane, and the other is closed with it.
        lost.writer.write_all(&[0, 0, 0, 0]).await.unwrap();
        node.told(PeerEvent::LinkDown(member.key)).await;
        assert!(!matches!(kept.reader.next(DEADLINE).await, Ok(Some(_))));
        let again = |seen: &Seen| matches!(seen, Seen::Event(PeerEvent::LinkDown(_))).then_some(());
        assert_eq!(node.within(Duration::from_millis(1), again).await, None, "one end was told twice");
    }
}

#[tokio::test]
async fn a_lane_that_falls_silent_ends_the_link_though_the_other_is_alive() {
    for silent_is_bulk in [true, false] {
        let mut node = Node::start(tcp(), settings("a", &[])).await;
        let (key, Forged { control, bulk }) = stranger(&mut node, 1).await;
        let (mut alive, _silent) = if silent_is_bulk { (control, bulk) } else { (bulk, control) };
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let pinging = async {
            loop {
                ticks.tick().await;
                // It fails once the link has ended, of which the other branch is told.
                let _ = alive.writer.write_all(&ping()).await;
            }
        };
        tokio::select! {
            () = node.told(PeerEvent::LinkDown(key)) => {}
            () = pinging => {}
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_frames_close_the_link_and_nothing_else() {
    for noise in [&u32::MAX.to_le_bytes()[..], &[0, 0, 0, 0]] {
        let mut node = Node::start(tcp(), settings("a", &[])).await;
        let (key, mut link) = stranger(&mut node, 1).await;
        let mut good = Vec::new();
        append(&mut good, Kind::NODE, 100, |out| out.extend_from_slice(b"good")).unwrap();
        link.control.writer.write_all(&good).await.unwrap();
        link.control.writer.write_all(noise).await.unwrap();
        assert_eq!(node.until("the good frame", frame(key, Kind::NODE)).await, b"good"[..]);
        node.told(PeerEvent::LinkDown(key)).await;
        assert!(!matches!(link.control.reader.next(DEADLINE).await, Ok(Some(_))));
        stranger(&mut node, 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn gossip_that_is_noise_is_counted_and_does_no_harm() {
    let mut nodes = mesh(Arc::new(MemoryNet::default()), &["a", "b", "c"]).await;
    let (a, b) = (nodes[0].key(), nodes[1].key());
    for length in [0usize, 1, 2, 3, 40, 1_000, 40_000] {
        for byte in [0u8, 1, 7, 127, 255] {
            nodes[0].cluster.send(b, Lane::Control, Kind::GOSSIP, |out| out.resize(out.len() + length, byte)).unwrap();
        }
    }
    nodes[0].cluster.send(b, Lane::Control, Kind::NODE, |_| {}).unwrap();
    nodes[1].until("the frame after the noise", frame(a, Kind::NODE)).await;
    let down = |seen: &Seen| matches!(seen, Seen::Event(PeerEvent::MemberDown(_))).then_some(());
    assert_eq!(nodes[2].within(DEADLINE, down).await, None);
    assert_eq!(nodes[1].cluster.gossip_errors(), 35);
    assert_eq!(nodes[1].cluster.members().len(), 3);
}
