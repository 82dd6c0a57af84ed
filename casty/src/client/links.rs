//! The client's connection, as routers and references use it.

use std::sync::{Arc, OnceLock, Weak};

use crate::base::NodeKey;
use crate::cluster::{SendFailure, Uplink};
use crate::remote::{Links, Room};
use crate::sharding::Post;
use crate::wire::Kind;

/// Sends frames over the client's connection, once there is one. It holds it weakly, since the connection holds the client.
#[derive(Default)]
pub(super) struct ClientLinks(OnceLock<Weak<Uplink>>);

impl ClientLinks {
    /// The connection is kept from now on.
    pub(super) fn connect(&self, uplink: &Arc<Uplink>) {
        let _ = self.0.set(Arc::downgrade(uplink));
    }

    /// The connection, while the client lives.
    pub(super) fn uplink(&self) -> Option<Arc<Uplink>> {
        self.0.get()?.upgrade()
    }
}

impl Links for ClientLinks {
    fn send(&self, to: NodeKey, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) -> Result<(), SendFailure> {
        self.uplink().ok_or(SendFailure::NotConnected)?.send(to, kind, |out| encode(out))
    }

    fn is_linked(&self, to: NodeKey) -> bool {
        self.uplink().is_some_and(|uplink| uplink.is_linked(to))
    }

    fn is_member(&self, node: NodeKey) -> bool {
        self.uplink().is_some_and(|uplink| uplink.is_member(node))
    }

    fn members(&self) -> Vec<NodeKey> {
        let members = self.uplink().map(|uplink| uplink.members()).unwrap_or_default();
        members.into_iter().map(|member| member.key).collect()
    }

    fn room(&self, _: NodeKey) -> Room {
        match self.uplink() {
            Some(uplink) => Box::pin(uplink.room()),
            None => Box::pin(std::future::ready(())),
        }
    }
}

impl Post for ClientLinks {
    fn post(&self, to: NodeKey, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        let sent = Links::send(self, to, kind, encode);
        sent.inspect_err(|error| tracing::trace!(%to, %error, "a frame was not queued")).is_ok()
    }

    fn is_linked(&self, to: NodeKey) -> bool {
        Links::is_linked(self, to)
    }

    fn broadcast(&self, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) {
        for member in Links::members(self) {
            self.post(member, kind, encode);
        }
    }
}
