//! The parts of a client, and what comes to them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use tokio::sync::watch;

use super::find::Questions;
use super::links::ClientLinks;
use crate::actor::ActorSystem;
use crate::base::{GroupId, NodeKey};
use crate::cluster::{Inbound, PeerEvent};
use crate::codec::DecodeError;
use crate::node::{FromDesk, ToDesk, decode_word};
use crate::remote::{Hub, Links};
use crate::sharding::{Router, decode_to_router};
use crate::wire::Kind;

/// The parts of a client.
pub(super) struct Inner {
    pub(super) system: ActorSystem,
    pub(super) links: Arc<ClientLinks>,
    pub(super) router: Arc<Router>,
    pub(super) hub: Arc<Hub>,
    pub(super) questions: Questions,
    /// The cluster that the client has found.
    pub(super) cluster_id: OnceLock<u64>,
    /// The node that serves the client knows the cluster.
    pub(super) welcome: watch::Sender<bool>,
    /// The node that serves the client knows who leads the cluster.
    pub(super) leads: watch::Sender<bool>,
    /// Under which origin the client's node knows it.
    pub(super) introduced: AtomicU64,
}

impl Inner {
    /// Says a word to the node that serves this client. `false` if it did not leave.
    pub(super) fn say(&self, to: NodeKey, word: &ToDesk) -> bool {
        let encoded = crate::codec::encode(word).unwrap_or_default();
        Links::send(&*self.links, to, Kind::DESK, &mut |out| out.extend_from_slice(&encoded)).is_ok()
    }

    /// Says under which origin requests come: to a node that has just taken the client, and when the origin is another.
    pub(super) fn introduce(&self) {
        let Some(node) = self.links.uplink().and_then(|uplink| uplink.through()) else { return };
        let origin = self.router.origin();
        if self.say(node.key, &ToDesk::Hello { origin }) {
            self.introduced.store(origin.0, Ordering::Release);
        }
    }

    fn told(&self, word: FromDesk) {
        match word {
            FromDesk::Welcome { cluster_id, groups } => {
                if *self.cluster_id.get_or_init(|| cluster_id) != cluster_id {
                    tracing::error!("a node that took the client belongs to another cluster than the one before it");
                    return self.links.uplink().iter().for_each(|uplink| uplink.elsewhere());
                }
                self.router.found(groups);
                self.welcome.send_replace(true);
            }
            FromDesk::Leading(leading) => {
                let leads = leading.iter().any(|leading| leading.group == GroupId::META);
                self.leads.send_if_modified(|before| std::mem::replace(before, leads) != leads);
                self.router.learn(&leading);
            }
            FromDesk::Found { id, found } => self.questions.answered(id, found),
        }
    }
}

/// Hands frames and events to the parts of the client. It is made before the client, and holds it weakly.
#[derive(Default)]
pub(super) struct Dispatch(OnceLock<Weak<Inner>>);

impl Dispatch {
    /// The client is there.
    pub(super) fn connect(&self, inner: &Arc<Inner>) {
        let _ = self.0.set(Arc::downgrade(inner));
    }
}

impl Inbound for Dispatch {
    fn frame(&self, from: NodeKey, kind: Kind, body: Bytes) {
        let Some(inner) = self.0.get().and_then(Weak::upgrade) else { return };
        let result: Result<(), DecodeError> = match kind {
            Kind::REPLY => decode_to_router(&body).map(|(group, words)| {
                inner.router.receive(from, group, words);
                if inner.router.origin().0 != inner.introduced.load(Ordering::Acquire) {
                    inner.introduce();
                }
            }),
            Kind::DESK => decode_word(&body).map(|word| inner.told(word)),
            Kind::CALL | Kind::ANSWER | Kind::ACTOR | Kind::ITEM | Kind::TOPIC => inner.hub.frame(from, kind, &body),
            other => {
                tracing::debug!(%from, kind = other.0, "a frame of an unknown kind is dropped");
                Ok(())
            }
        };
        if let Err(error) = result {
            tracing::warn!(%from, kind = kind.0, %error, "a frame cannot be read and is dropped");
        }
    }

    fn event(&self, event: PeerEvent) {
        let Some(inner) = self.0.get().and_then(Weak::upgrade) else { return };
        inner.hub.event(&event);
        match event {
            PeerEvent::LinkDown(peer) => inner.router.peer_lost(peer),
            PeerEvent::MemberDown(member) => inner.router.peer_lost(member.key),
            _ => {}
        }
    }
}
