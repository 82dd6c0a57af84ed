//! What is decoded on a link before any layer above sees it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};

use super::whole::{spelled, whole};
use crate::base::NodeKey;
use crate::codec::decode;
use crate::wire::{
    FRAME_BYTES_MAX, Features, FrameReader, Hello, Kind, Labels, Member, NONCE_BYTES, PREFACE_FRAME_BYTES, Preface,
    Purpose, Reason, Role, Versions, append, expand, shrink,
};

/// Bytes of a connection, as frames: all that come before an error or the end.
///
/// Whether they come at once or in pieces makes no difference, and the frames put together are the bytes that were read.
pub fn frame(bytes: &[u8]) -> bool {
    let frames = read(bytes, bytes.len());
    let piece = bytes.first().map_or(1, |first| usize::from(first % 7) + 1);
    assert!(frames == read(bytes, piece), "pieces of {piece} bytes make other frames of {bytes:?}");
    let mut together = Vec::new();
    for (kind, body) in &frames {
        assert!(body.len() <= FRAME_BYTES_MAX, "a frame of {} bytes was taken", body.len());
        let appended = append(&mut together, *kind, FRAME_BYTES_MAX, |out| out.extend_from_slice(body));
        assert!(appended.is_ok(), "a frame that came cannot be sent: {appended:?}");
    }
    assert!(bytes.starts_with(&together), "the frames of {bytes:?} together are {together:?}");
    !frames.is_empty()
}

/// A word of the handshake: a preface, a hello, a refusal, or a welcome.
pub fn handshake(bytes: &[u8]) -> bool {
    let preface = <&[u8; PREFACE_FRAME_BYTES]>::try_from(bytes).ok().and_then(|bytes| Preface::decode(bytes).ok());
    if let Some(preface) = preface {
        assert_eq!(preface.encode()[..], *bytes, "a preface has one spelling");
    }
    let hello = whole(bytes, |bytes| decode::<Hello>(bytes).ok(), spelled);
    let refusal = whole(bytes, |bytes| decode::<Reason>(bytes).ok(), spelled);
    if let Ok(refusal) = decode::<Reason>(bytes) {
        // Both sides tell it to their log.
        let told = (refusal.clone().at_dialler().to_string(), refusal.at_acceptor().to_string());
        assert!(!told.0.is_empty() && !told.1.is_empty());
    }
    let welcome = whole(bytes, |bytes| decode::<Member>(bytes).ok(), spelled);
    preface.is_some() || hello || refusal || welcome
}

/// The body of a compressed frame.
///
/// What it expands to is no more than a frame may be. The same may be compressed in several ways, so it is compared expanded.
pub fn compressed(bytes: &[u8]) -> bool {
    let Ok((kind, body)) = expand(bytes, FRAME_BYTES_MAX) else { return false };
    assert!(body.len() <= FRAME_BYTES_MAX && kind != Kind::COMPRESSED, "{} bytes of {kind:?}", body.len());
    if let Some(shrunk) = shrink(kind, &body) {
        let again = expand(&shrunk, FRAME_BYTES_MAX).ok();
        assert!(again == Some((kind, body)), "what {bytes:?} stands for does not come back");
    }
    true
}

/// A packet of the membership protocol, heard by a member.
pub fn gossip(bytes: &[u8]) -> bool {
    crate::cluster::hear(bytes)
}

fn read(bytes: &[u8], piece: usize) -> Vec<(Kind, Bytes)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    assert!(runtime.is_ok(), "a runtime is at hand: {:?}", runtime.as_ref().err());
    let Ok(runtime) = runtime else { return Vec::new() };
    runtime.block_on(async {
        let mut reader = FrameReader::new(Pieces { rest: bytes, piece: piece.max(1) }, FRAME_BYTES_MAX);
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = reader.next(Duration::MAX).await {
            frames.push(frame);
        }
        frames
    })
}

/// A connection that brings a few bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    piece: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let count = self.piece.min(self.rest.len()).min(buf.remaining());
        let (now, later) = self.rest.split_at(count);
        buf.put_slice(now);
        self.rest = later;
        Poll::Ready(Ok(()))
    }
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for (kind, body) in [(Kind::PING, &b""[..]), (Kind::RAFT, b"consensus"), (Kind(99), b"?")] {
        let appended = append(&mut out, kind, FRAME_BYTES_MAX, |out| out.extend_from_slice(body));
        assert!(appended.is_ok());
    }
    vec![out]
}

pub(super) fn shrunk() -> Vec<Vec<u8>> {
    let bodies = [b"a flight, and another, ".repeat(20), vec![7; 3_000]];
    bodies.iter().filter_map(|body| shrink(Kind::ENTITY, body)).collect()
}

pub(super) fn words() -> Vec<Vec<u8>> {
    let member = |id: &str, life| Member::new(id.into(), life, format!("{id}:8001"), Role::Observer);
    let hello = |purpose| Hello { cluster_name: "bank".to_owned(), member: member("a", 1), purpose };
    let hellos = [
        hello(Purpose::Ask),
        hello(Purpose::Check),
        hello(Purpose::Link { to: NodeKey(9), nonce: 300 }),
        hello(Purpose::Bulk { to: NodeKey(9), nonce: 7 }),
    ];
    let (old, new) = (Box::new(member("b", 1)), Box::new(member("b", 2)));
    let refusals = [
        Reason::ClusterName { yours: "bank".to_owned(), mine: "shop".to_owned() },
        Reason::OtherNode { wanted: NodeKey(9), mine: new.clone() },
        Reason::Superseded { yours: old.clone(), newest: new },
        Reason::StaleLink,
        Reason::Leaving,
        Reason::TooManyPeers { max: 1_024 },
        Reason::TooManyClients { max: 1_024 },
        Reason::Unreachable { yours: old, why: "connection refused".to_owned() },
        Reason::WrongDialler,
        Reason::Busy,
    ];
    let preface = Preface::new(Versions { newest: 3, oldest: 2 }, Features(3), Features(1), [7; NONCE_BYTES]);
    let mut words: Vec<_> = hellos.iter().map(spelled).collect();
    words.extend(refusals.iter().map(spelled));
    words.push(preface.encode().to_vec());
    words.push(spelled(&member("c", 3)));
    let labels = Labels {
        roles: ["frontend".to_owned(), "canary".to_owned()].into(),
        metadata: [("zone".to_owned(), "eu-1".to_owned())].into(),
    };
    words.push(spelled(&member("d", 4).labelled(labels)));
    words
}
