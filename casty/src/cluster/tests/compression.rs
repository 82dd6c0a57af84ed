//! What large frames weigh on the wire, and that they arrive as they were.

use std::sync::Arc;

use super::forged::{Stranger, next};
use super::support::{MemoryNet, Node, Seen, full_mesh, settings, tcp};
use crate::cluster::{Compression, Kind, Lane, PeerEvent};
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
    let mut node = settings("a", &[]);
    node.compression = Compression::lz4_above(ABOVE);
    let mut node = Node::start(tcp(), node).await;
    let stranger = Stranger::for_node(&node).await;
    let (mut link, key) = (stranger.link(&node.cluster, 1).await, stranger.member.key);
    node.told(PeerEvent::LinkUp(key)).await;
    link.bulk.reader.set_bytes_max(FRAME_BYTES_MAX);
    for (bytes, kind) in [(ABOVE, Kind::ENTITY), (100 * ABOVE, Kind::COMPRESSED)] {
        let send = |out: &mut Vec<u8>| out.resize(out.len() + bytes, 7);
        node.cluster.send(key, Lane::Bulk, Kind::ENTITY, send).unwrap();
        let (came, body) = next(&mut link.bulk).await.unwrap();
        assert_eq!(came, kind);
        if came == Kind::COMPRESSED {
            assert!(body.len() < bytes / 50, "{} bytes", body.len());
            assert_eq!(expand(&body, FRAME_BYTES_MAX).unwrap(), (Kind::ENTITY, vec![7; bytes].into()));
        }
    }
}
