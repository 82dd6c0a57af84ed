//! What large frames weigh on the wire, and that they arrive as they were.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::links::{let_in, linked, ping};
use super::support::{DEADLINE, MemoryNet, Node, Seen, full_mesh, settings, tcp};
use crate::cluster::{Compression, Kind, Lane, Member, PeerEvent, Role};
use crate::wire::{FRAME_BYTES_MAX, expand};

const ABOVE: usize = 1_000;

#[tokio::test(start_paused = true)]
async fn compressed_frames_arrive_as_they_were_whichever_side_compresses() {
    let net = Arc::new(MemoryNet::default());
    let mut first = settings("a", &[]);
    first.compression = Compression::lz4_above(ABOVE);
    let first = Node::start(net.clone(), first).await;
    let second = Node::start(net, settings("b", &[first.addr()])).await;
    let mut nodes = [first, second];
    full_mesh(&mut nodes).await;
    for (from, to) in [(0, 1), (1, 0)] {
        for bytes in [0, 1, ABOVE, ABOVE + 1, 300_000, FRAME_BYTES_MAX] {
            let receiver = nodes[to].key();
            let send = |out: &mut Vec<u8>| out.resize(out.len() + bytes, 7);
            nodes[from].cluster.send(receiver, Lane::Bulk, Kind::ENTITY, send).unwrap();
            let frame = |seen: &Seen| match seen {
                Seen::Frame(_, Kind::ENTITY, body) => Some(body.clone()),
                _ => None,
            };
            let body = nodes[to].until("the frame", frame).await;
            assert!(body.len() == bytes && body.iter().all(|byte| *byte == 7), "{} bytes of {bytes}", body.len());
        }
    }
}

#[tokio::test]
async fn frames_above_the_size_are_small_on_the_wire_and_others_are_as_they_are() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut node = settings("a", &[]);
    node.compression = Compression::lz4_above(ABOVE);
    let mut node = Node::start(tcp(), node).await;
    let member = Member::new("peer".into(), 1, listener.local_addr().unwrap().to_string(), Role::Replica);
    let mut link = linked(&node, &member, 1).await;
    let [_control, mut bulk] = let_in(&listener, &member).await;
    link.write(&ping()).await;
    node.told(PeerEvent::LinkUp(member.key)).await;
    bulk.reader.set_bytes_max(FRAME_BYTES_MAX);
    for (bytes, kind) in [(ABOVE, Kind::ENTITY), (100 * ABOVE, Kind::COMPRESSED)] {
        let send = |out: &mut Vec<u8>| out.resize(out.len() + bytes, 7);
        node.cluster.send(member.key, Lane::Bulk, Kind::ENTITY, send).unwrap();
        let (came, body) = loop {
            match bulk.reader.next(DEADLINE).await.unwrap().unwrap() {
                (Kind::PING, _) => {}
                frame => break frame,
            }
        };
        assert_eq!(came, kind);
        if came == Kind::COMPRESSED {
            assert!(body.len() < bytes / 50, "{} bytes", body.len());
            assert_eq!(expand(&body, FRAME_BYTES_MAX).unwrap(), (Kind::ENTITY, vec![7; bytes].into()));
        }
    }
}
