//! A client's connection at its node, and what passes between that node and others.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::clients::{Came, Client, Served};
use super::envelope::{Envelope, Relayed};
use super::news::{Departed, News};
use super::{may_be_relayed, timings, write};
use crate::base::NodeKey;
use crate::cluster::mesh::Mesh;
use crate::cluster::transport::{Guest, Lane, within};
use crate::cluster::{PeerEvent, SendFailure};
use crate::codec::{decode, encode};
use crate::wire::{FRAME_BYTES_MAX, FrameError, Kind};

/// A client that has not come back for so long is gone: what it hosted has ended.
const GONE_AFTER: Duration = Duration::from_secs(10);

/// What a client that has just connected is told first. Links may stand before gossip has told of their nodes.
fn hear(mesh: &Mesh) -> News {
    let mut linked = mesh.links.open_to();
    linked.push(mesh.me.key);
    News::All { members: mesh.view.borrow().to_vec(), linked }
}

/// A client's connection, from its welcome to its end. It counts from its first frame on: a client dials several nodes, and
/// sends to one of them.
pub(in crate::cluster) async fn serve(mesh: &Arc<Mesh>, mut guest: Guest, served: Arc<Served>) {
    let key = guest.hello.member.key;
    if let Err(error) = within(mesh.timings.handshake_max, guest.welcome(&mesh.me)).await {
        return mesh.noted.failure("clients", "a handshake with a client failed", &error);
    }
    guest.reader.set_bytes_max(FRAME_BYTES_MAX);
    let silence_max = timings(&mesh.timings).silence_max;
    let first = tokio::select! {
        first = guest.reader.next(silence_max) => first,
        () = mesh.stop.cancelled() => return,
    };
    if !matches!(first, Ok(Some(_))) {
        return tracing::debug!(client = %guest.hello.member.id, "a client has chosen another node");
    }
    let Some(client) = arrive(mesh, key, &served) else { return };
    tracing::debug!(client = %guest.hello.member.id, "a client is connected");
    exchange(mesh, guest, (&client, &served)).await;
    served.end();
    let left = client.turn().and_then(|turn| {
        let leave = turn.left(&served)?;
        mesh.inbound.event(PeerEvent::LinkDown(key));
        Some(leave)
    });
    mesh.clients.ended();
    if let Some(leave) = left {
        tell_departed(mesh, Departed { client: key, nonce: served.nonce });
        await_return(mesh, key, leave);
    }
}

/// A connection counts from now on, unless a newer one does already.
fn arrive(mesh: &Arc<Mesh>, key: NodeKey, served: &Arc<Served>) -> Option<Arc<Client>> {
    loop {
        let client = mesh.clients.enter(key)?;
        let Some(turn) = client.turn() else { continue };
        let Came::Anew { moved } = turn.arrived(served) else { return None };
        served.begin(|| hear(mesh));
        link_up(mesh, key, moved);
        drop(turn);
        return Some(client);
    }
}

/// Within the client's turn: there is a way to it, which may be another than before.
fn link_up(mesh: &Mesh, client: NodeKey, moved: bool) {
    if moved {
        mesh.inbound.event(PeerEvent::LinkDown(client));
    }
    mesh.inbound.event(PeerEvent::LinkUp(client));
}

/// Reads and writes until either ends.
async fn exchange(mesh: &Arc<Mesh>, guest: Guest, (client, served): (&Arc<Client>, &Arc<Served>)) {
    let Guest { hello, mut reader, writer, .. } = guest;
    let timings = timings(&mesh.timings);
    let (outgoing, paced) = (served.clone(), timings.clone());
    let writing = async move { write(writer, &outgoing.outbox, &paced).await };
    let mut writing = AbortOnDropHandle::new(mesh.tasks.spawn(writing));
    let key = hello.member.key;
    let reading = async {
        while let Some((kind, body)) = reader.next(timings.silence_max).await? {
            match kind {
                Kind::PING => {}
                Kind::RELAY => match Envelope::read(body) {
                    Some(envelope) if envelope.peer == mesh.me.key => {
                        let Some(turn) = client.turn().filter(|turn| turn.is_at(served)) else { break };
                        mesh.inbound.frame(key, envelope.kind, envelope.body);
                        drop(turn);
                    }
                    Some(envelope) => pass_on(mesh, (key, served.nonce), envelope).await,
                    None => tracing::debug!(client = %hello.member.id, "a frame that no client may send is dropped"),
                },
                other => tracing::debug!(client = %hello.member.id, kind = other.0, "an unknown frame is dropped"),
            }
        }
        Ok::<(), FrameError>(())
    };
    let why = tokio::select! {
        read = reading => read.err().map_or_else(|| "it closed it".to_owned(), |error| error.to_string()),
        _ = &mut writing => "it takes no bytes".to_owned(),
        () = served.cut.cancelled() => "it has another, or could not be told what happens".to_owned(),
        () = mesh.stop.cancelled() => "this node stops".to_owned(),
    };
    tracing::debug!(client = %hello.member.id, why, "the connection of a client ended");
}

/// Takes a client's frame to another node. Where there is no room it waits, and the client with it.
async fn pass_on(mesh: &Mesh, from: (NodeKey, u64), envelope: Envelope) {
    let Envelope { peer, kind, body } = envelope;
    if !may_be_relayed(kind) {
        return tracing::debug!(client = %from.0, "a word for the client's node is for no other, and is dropped");
    }
    loop {
        let write = |out: &mut Vec<u8>| Relayed::write(from, true, kind, out, |out| out.extend_from_slice(&body));
        match mesh.links.send(peer, Lane::Bulk, Kind::RELAY, write) {
            Ok(()) => return,
            Err(SendFailure::Full { .. }) => mesh.links.room(peer).await,
            // The client has been told that the link broke.
            Err(error) => return tracing::debug!(to = %peer, %error, "a frame of a client is dropped"),
        }
    }
}

/// A relayed frame came from the node `from`.
pub(in crate::cluster) fn relayed(mesh: &Arc<Mesh>, from: NodeKey, frame: Bytes) {
    let Some(Relayed { client: key, nonce, inward, kind, body }) = Relayed::read(frame) else {
        return tracing::debug!(%from, "a relayed frame that cannot be read is dropped");
    };
    if !inward {
        let Some(served) = mesh.clients.served(key, nonce) else { return };
        let pushed = served.outbox.push(Kind::RELAY, |out| {
            Envelope::write(from, kind, out, |out| out.extend_from_slice(&body));
        });
        if let Err(error) = pushed {
            // Waiting for it would hold up all others. It connects anew, and asks again for what it misses.
            tracing::debug!(client = %key, %error, "a client takes what it is sent too slowly, and is let go");
            served.cut.cancel();
        }
        return;
    }
    loop {
        let Some(client) = mesh.clients.enter(key) else {
            return tracing::warn!(%from, "a frame of a client is dropped: there are too many clients");
        };
        let Some(_turn) = client.turn().inspect(|turn| match turn.came(nonce, from) {
            Came::AsBefore => mesh.inbound.frame(key, kind, body.clone()),
            Came::Anew { moved } => {
                link_up(mesh, key, moved);
                mesh.inbound.frame(key, kind, body.clone());
            }
            Came::Late => {}
        }) else {
            continue;
        };
        return;
    }
}

impl Mesh {
    /// Something happened: the layers above are told, and the clients, and what it means for the clients of others is done.
    pub(in crate::cluster) fn tell(self: &Arc<Self>, event: PeerEvent) {
        if let Some(news) = News::of(&event) {
            self.clients.tell(&news);
        }
        let lost = match &event {
            PeerEvent::LinkDown(peer) => Some(*peer),
            _ => None,
        };
        self.inbound.event(event);
        if let Some(peer) = lost {
            self.clients.through(peer).into_iter().for_each(|client| self.left_through(client, peer, None));
        }
    }

    /// Another node tells that a client's connection has ended.
    pub(in crate::cluster) fn departed(self: &Arc<Self>, from: NodeKey, word: &[u8]) {
        match decode(word) {
            Ok(Departed { client, nonce }) => self.left_through(client, from, Some(nonce)),
            Err(error) => tracing::debug!(%from, %error, "a word about a client cannot be read and is dropped"),
        }
    }

    fn left_through(self: &Arc<Self>, key: NodeKey, through: NodeKey, nonce: Option<u64>) {
        let Some(client) = self.clients.known(key) else { return };
        let leave = client.turn().and_then(|turn| {
            let leave = turn.left_through(through, nonce)?;
            self.inbound.event(PeerEvent::LinkDown(key));
            Some(leave)
        });
        if let Some(leave) = leave {
            await_return(self, key, leave);
        }
    }
}

/// Tells the other nodes that a connection has ended: those that have heard of the client remember it otherwise until the link
/// to this node breaks.
fn tell_departed(mesh: &Arc<Mesh>, departed: Departed) {
    let Ok(word) = encode(&departed) else { return };
    let word = Bytes::from(word);
    for node in mesh.links.open_to() {
        let (telling, word) = (mesh.clone(), word.clone());
        mesh.spawn(async move {
            let write = |out: &mut Vec<u8>| out.extend_from_slice(&word);
            while let Err(SendFailure::Full { .. }) = telling.links.send(node, Lane::Bulk, Kind::NEWS, write) {
                telling.links.room(node).await;
            }
        });
    }
}

/// Gives a client time to come back before it counts as gone.
fn await_return(mesh: &Arc<Mesh>, key: NodeKey, leave: u64) {
    let waiting = mesh.clone();
    mesh.spawn(async move {
        sleep(GONE_AFTER).await;
        let Some(client) = waiting.clients.known(key) else { return };
        let Some(turn) = client.turn() else { return };
        if turn.is_gone_since(leave) {
            waiting.clients.forget(key);
            waiting.inbound.event(PeerEvent::ClientGone(key));
        }
    });
}
