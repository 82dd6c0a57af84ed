//! What links carry, and what they survive.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::task::block_in_place;
use tokio::time::Instant;

use super::forged::{Forged, Stranger, next, ping};
use super::support::{DEADLINE, FaultyNet, MemoryNet, Node, Recorder, Seen, frame, mesh, settings, tcp};
use crate::base::NodeKey;
use crate::cluster::{Inbound, Kind, Lane, PeerEvent, SendFailure};
use crate::wire::{FRAME_BYTES_MAX, HandshakeError, Purpose, append};

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_made_again_and_carries_frames() {
    let net = FaultyNet::new(Arc::new(MemoryNet::default()));
    let mut nodes = mesh(net.clone(), &["a", "b"]).await;
    let (a, b) = (nodes[0].key(), nodes[1].key());
    for round in 0..3u8 {
        nodes.iter().for_each(|node| net.cut(&node.addr()));
        nodes[0].told(PeerEvent::LinkDown(b)).await;
        nodes[1].told(PeerEvent::LinkDown(a)).await;
        nodes[0].told(PeerEvent::LinkUp(b)).await;
        nodes[1].told(PeerEvent::LinkUp(a)).await;
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
    assert!(begun.elapsed() < Duration::from_secs(2) && !nodes[0].cluster.is_linked(b));
    for node in &nodes {
        net.unblock(&node.addr());
    }
    nodes[0].told(PeerEvent::LinkUp(b)).await;
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

/// A dialler that has been let in can answer whatever comes: the first frames come behind the welcome.
#[tokio::test]
async fn a_link_carries_frames_as_soon_as_its_dialler_was_let_in() {
    let mut node = Node::start(tcp(), settings("a", &[])).await;
    let stranger = Stranger::for_node(&node).await;
    let key = stranger.member.key;
    let to = node.key();
    let control = stranger.lane(&node.cluster, Purpose::Link { to, nonce: 1 }).await.unwrap();
    assert!(!node.cluster.is_linked(key), "a link of one lane");
    let bulk = stranger.lane(&node.cluster, Purpose::Bulk { to, nonce: 1 }).await.unwrap();
    let mut link = Forged { control, bulk };
    node.told(PeerEvent::LinkUp(key)).await;
    for lane in [Lane::Control, Lane::Bulk] {
        node.cluster.send(key, lane, Kind::NODE, |out| out.push(7)).unwrap();
    }
    for lane in [&mut link.control, &mut link.bulk] {
        lane.reader.set_bytes_max(FRAME_BYTES_MAX);
        // On control, gossip may come first.
        let body = loop {
            if let (Kind::NODE, body) = next(lane).await.expect("the frame comes before the end") {
                break body;
            }
        };
        assert_eq!(body, [7][..]);
    }
}

/// Holds whoever hands on a frame, until it is let go.
struct Held {
    recorder: Arc<Recorder>,
    gate: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Inbound for Held {
    fn frame(&self, from: NodeKey, kind: Kind, body: Bytes) {
        self.recorder.frame(from, kind, body);
        if kind == Kind::NODE {
            // Once the gate is gone, nobody waits.
            let _ = block_in_place(|| self.gate.lock().recv());
        }
    }

    fn event(&self, event: PeerEvent) {
        self.recorder.event(event);
    }
}

/// Frames of an older link never come after those of a newer one.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_link_that_replaces_another_begins_when_that_has_ended() {
    let (gate, held) = std::sync::mpsc::channel();
    let behind = |recorder| Arc::new(Held { recorder, gate: Mutex::new(held) });
    let mut node = Node::start_behind(tcp(), settings("a", &[]), behind).await;
    let stranger = Stranger::for_node(&node).await;
    let key = stranger.member.key;
    let mut word = Vec::new();
    append(&mut word, Kind::NODE, 0, |_| {}).unwrap();
    let mut older = stranger.link(&node.cluster, 1).await;
    node.told(PeerEvent::LinkUp(key)).await;
    older.control.writer.write_all(&word).await.unwrap();
    node.until("a frame of the older link", frame(key, Kind::NODE)).await;
    // Its reader has not ended: the frame is still being handed on.
    let event = |seen: &Seen| match seen {
        Seen::Event(event @ (PeerEvent::LinkUp(of) | PeerEvent::LinkDown(of))) if *of == key => Some(event.clone()),
        _ => None,
    };
    let linking = async { stranger.link(&node.cluster, 2).await };
    let (mut newer, ()) = tokio::join!(linking, async {
        assert_eq!(node.ears.within(Duration::from_millis(200), event).await, None);
        drop(gate);
    });
    newer.control.writer.write_all(&word).await.unwrap();
    node.until("a frame of the newer link", frame(key, Kind::NODE)).await;
    let events = [node.until("an event", event).await, node.until("an event", event).await];
    assert_eq!(events, [PeerEvent::LinkDown(key), PeerEvent::LinkUp(key)]);
}

#[tokio::test]
async fn a_link_is_open_with_both_lanes_and_ends_with_either() {
    let mut node = Node::start(tcp(), settings("a", &[])).await;
    let stranger = Stranger::for_node(&node).await;
    let (member, to) = (&stranger.member, node.key());
    let early = stranger.lane(&node.cluster, Purpose::Bulk { to, nonce: 1 }).await;
    assert!(matches!(early, Err(HandshakeError::StaleLink)), "a bulk lane without a link");
    for (round, lost_is_bulk) in [true, false].into_iter().enumerate() {
        let nonce = 1 + round as u64;
        let mut control = stranger.lane(&node.cluster, Purpose::Link { to, nonce }).await.unwrap();
        control.writer.write_all(&ping()).await.unwrap();
        let other = stranger.lane(&node.cluster, Purpose::Bulk { to, nonce: nonce + 7 }).await;
        assert!(matches!(other, Err(HandshakeError::StaleLink)), "the bulk lane of another link");
        assert!(!node.cluster.is_linked(member.key));
        let mut bulk = stranger.lane(&node.cluster, Purpose::Bulk { to, nonce }).await.unwrap();
        bulk.writer.write_all(&ping()).await.unwrap();
        node.told(PeerEvent::LinkUp(member.key)).await;
        let (mut lost, mut kept) = if lost_is_bulk { (bulk, control) } else { (control, bulk) };
        // What is no frame breaks the one lane, and the other is closed with it.
        lost.writer.write_all(&[0, 0, 0, 0]).await.unwrap();
        node.told(PeerEvent::LinkDown(member.key)).await;
        while next(&mut kept).await.is_some() {}
        let again = |seen: &Seen| matches!(seen, Seen::Event(PeerEvent::LinkDown(_))).then_some(());
        assert_eq!(node.within(Duration::from_millis(1), again).await, None, "one end was told twice");
    }
}

#[tokio::test]
async fn a_lane_that_falls_silent_ends_the_link_though_the_other_is_alive() {
    for silent_is_bulk in [true, false] {
        let mut node = Node::start(tcp(), settings("a", &[])).await;
        let stranger = Stranger::for_node(&node).await;
        let Forged { control, bulk } = stranger.link(&node.cluster, 1).await;
        let key = stranger.member.key;
        node.told(PeerEvent::LinkUp(key)).await;
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
        let stranger = Stranger::for_node(&node).await;
        let (mut link, key) = (stranger.link(&node.cluster, 1).await, stranger.member.key);
        let mut good = Vec::new();
        append(&mut good, Kind::NODE, 100, |out| out.extend_from_slice(b"good")).unwrap();
        link.control.writer.write_all(&good).await.unwrap();
        link.control.writer.write_all(noise).await.unwrap();
        assert_eq!(node.until("the good frame", frame(key, Kind::NODE)).await, b"good"[..]);
        node.told(PeerEvent::LinkDown(key)).await;
        while next(&mut link.control).await.is_some() {}
        let _again = stranger.link(&node.cluster, 2).await;
        node.told(PeerEvent::LinkUp(key)).await;
        node.told(PeerEvent::LinkUp(key)).await;
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
