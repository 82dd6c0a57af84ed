//! Somebody who is no node and is let in as one, and what it hears.

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::support::{DEADLINE, Node, say_hello, trust};
use crate::base::NodeKey;
use crate::cluster::transport::{Greeted, Guest, receive};
use crate::cluster::trust::Guarded;
use crate::cluster::{Cluster, Kind, Member, Role};
use crate::wire::{HandshakeError, Hello, Purpose, Versions, append};

/// Somebody who is no node, dials one, and can be dialled.
pub(super) struct Stranger {
    pub(super) member: Member,
    _answers: AbortOnDropHandle<()>,
}

impl Stranger {
    /// Of the two, this is the one that dials.
    pub(super) async fn for_node(node: &Node) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        let member = stranger_at(&addr, |key| key < node.key());
        let me = member.clone();
        let answers = async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let trust = trust(None, Versions::CURRENT);
                // Whoever has gone again needs no answer.
                if let Ok(mut guest) = receive(Guarded::plain(Box::new(stream)), &trust).await {
                    let _ = guest.welcome(&me).await;
                }
            }
        };
        Self { member, _answers: AbortOnDropHandle::new(tokio::spawn(answers)) }
    }

    pub(super) async fn lane(&self, node: &Cluster, purpose: Purpose) -> Result<Greeted, HandshakeError> {
        lane(node, &self.member, purpose).await
    }

    /// A link with the node, on which nothing was sent.
    pub(super) async fn link(&self, node: &Cluster, nonce: u64) -> Forged {
        let to = node.me().key;
        let control = self.lane(node, Purpose::Link { to, nonce }).await.unwrap();
        Forged { control, bulk: self.lane(node, Purpose::Bulk { to, nonce }).await.unwrap() }
    }
}

pub(super) fn stranger_at(addr: &str, fits: impl Fn(NodeKey) -> bool) -> Member {
    let name = format!("stranger at {addr}");
    let lives = (1..).map(|life| Member::new(name.as_str().into(), life, addr, Role::Replica));
    lives.into_iter().find(|member| fits(member.key)).unwrap()
}

pub(super) async fn lane(node: &Cluster, member: &Member, purpose: Purpose) -> Result<Greeted, HandshakeError> {
    let hello = Hello { cluster_name: "bank".into(), member: member.clone(), purpose };
    say_hello(&node.me().addr, &trust(None, Versions::CURRENT), &hello).await
}

/// A link with a node, in the hands of somebody who is none.
pub(super) struct Forged {
    pub(super) control: Greeted,
    pub(super) bulk: Greeted,
}

/// The next frame but pings.
pub(super) async fn next(lane: &mut Greeted) -> Option<(Kind, Bytes)> {
    loop {
        match lane.reader.next(DEADLINE).await.ok()? {
            Some((Kind::PING, _)) => {}
            frame => return frame,
        }
    }
}

pub(super) fn ping() -> Vec<u8> {
    let mut ping = Vec::new();
    append(&mut ping, Kind::PING, 0, |_| {}).unwrap();
    ping
}

pub(super) async fn hear(listener: &TcpListener) -> Result<Guest, HandshakeError> {
    let (stream, _) = timeout(DEADLINE, listener.accept()).await.expect("a connection").unwrap();
    receive(Guarded::plain(Box::new(stream)), &trust(None, Versions::CURRENT)).await
}
