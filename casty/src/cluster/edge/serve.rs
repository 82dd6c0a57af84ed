//! A client's connection at its node, and what passes between that node and others.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::clients::{Admitted, Came, Served};
use super::envelope::{Envelope, Relayed};
use super::news::{Departed, News};
use super::{may_pass, timings};
use crate::base::NodeKey;
use crate::cluster::mesh::Mesh;
use crate::cluster::transport::{Guest, Lane, Writer, within, write_frames};
use crate::cluster::{PeerEvent, SendFailure};
use crate::codec::{decode, encode};
use crate::wire::{FRAME_BYTES_MAX, FrameError, Kind};

/// A client that has not come back for so long is gone: what it hosted has ended.
const GONE_AFTER: Duration = Duration::from_secs(10);

/// What a client that has just connected is told first.
pub(in crate::cluster) fn hear(mesh: &Mesh) -> News {
    let members = mesh.view.borrow().to_vec();
    let linked =
        members.iter().map(|member| member.key).filter(|key| *key == mesh.me.key || mesh.is_linked(*key)).collect();
    News::All { members, linked }
}

/// A client's connection, from its welcome to its end.
pub(in crate::cluster) async fn serve(mesh: &Arc<Mesh>, mut guest: Guest, admitted: Admitted) {
    let Admitted { served, ended, before } = admitted;
    let _ended = ended.drop_guard();
    if let Some(before) = before {
        before.ended().await;
        mesh.inbound.event(PeerEvent::LinkDown(guest.hello.member.key));
    }
    let client = guest.hello.member.key;
    match within(mesh.timings.handshake_max, guest.welcome(&mesh.me)).await {
        Ok(()) => {
            tracing::debug!(client = %guest.hello.member.id, "a client is connected");
            exchange(mesh, guest, &served).await;
        }
        Err(error) => mesh.noted.failure("clients", "a handshake with a client failed", &error),
    }
    if mesh.clients.release(client, served.nonce) {
        mesh.inbound.event(PeerEvent::LinkDown(client));
        tell_departed(mesh, Departed { client, nonce: served.nonce });
        await_return(mesh, client);
    }
}

/// Reads and writes until either ends.
async fn exchange(mesh: &Arc<Mesh>, guest: Guest, served: &Arc<Served>) {
    let Guest { hello, mut reader, writer, .. } = guest;
    let timings = timings(&mesh.timings);
    reader.set_bytes_max(FRAME_BYTES_MAX);
    let (outgoing, paced) = (served.clone(), timings.clone());
    let mut writing = AbortOnDropHandle::new(mesh.tasks.spawn(async move {
        let mut writer: Writer = writer;
        write_frames(&mut writer, &outgoing.outbox, &paced).await?;
        writer.shutdown().await
    }));
    let client = hello.member.key;
    mesh.inbound.event(PeerEvent::LinkUp(client));
    let reading = async {
        while let Some((kind, body)) = reader.next(timings.silence_max).await? {
            match kind {
                Kind::PING => {}
                Kind::RELAY => match Envelope::read(body).filter(|envelope| may_pass(envelope.kind)) {
                    Some(envelope) => pass(mesh, client, served, envelope).await,
                    None => tracing::debug!(client = %hello.member.id, "a frame that no client may send is dropped"),
                },
                other => tracing::debug!(client = %hello.member.id, kind = other.0, "an unknown frame is dropped"),
            }
        }
        Ok::<(), FrameError>(())
    };
    let why = tokio::select! {
        read = reading => read.err().map_or_else(|| "it closed it".to_owned(), |error| error.to_string()),
        _ = &mut writing => "it takes no bytes, or this node is leaving".to_owned(),
        () = served.cut.cancelled() => "it has another, or could not be told what happens".to_owned(),
        () = mesh.stop.cancelled() => "this node stops".to_owned(),
    };
    tracing::debug!(client = %hello.member.id, why, "the connection of a client ended");
}

/// Takes a client's frame to whom it is for. Where there is no room it waits, and the client with it.
async fn pass(mesh: &Mesh, client: NodeKey, served: &Served, envelope: Envelope) {
    let Envelope { peer, kind, body } = envelope;
    if peer == mesh.me.key {
        let counts = served.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if *counts {
            mesh.inbound.frame(client, kind, body);
        }
        return;
    }
    let from = (client, served.nonce);
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
    let Some(Relayed { client, nonce, inward, kind, body }) = Relayed::read(frame).filter(|it| may_pass(it.kind))
    else {
        return tracing::debug!(%from, "a relayed frame that cannot be read is dropped");
    };
    if !inward {
        let Some(served) = mesh.clients.served(client, nonce) else { return };
        let pushed = served.outbox.push(Kind::RELAY, |out| {
            Envelope::write(from, kind, out, |out| out.extend_from_slice(&body));
        });
        if let Err(error) = pushed {
            // Waiting for it would hold up all others. It connects anew, and asks again for what it misses.
            tracing::debug!(%client, %error, "a client takes what it is sent too slowly, and is let go");
            served.cut.cancel();
        }
        return;
    }
    match mesh.clients.came(client, nonce, from) {
        Came::Late => return,
        Came::AsBefore => {}
        Came::Anew { moved } => {
            if moved {
                mesh.inbound.event(PeerEvent::LinkDown(client));
            }
            mesh.inbound.event(PeerEvent::LinkUp(client));
        }
    }
    mesh.inbound.frame(client, kind, body);
}

impl Mesh {
    /// Something happened: the layers above are told, and the clients, and what it means for the clients of others is done.
    pub(in crate::cluster) fn tell(self: &Arc<Self>, event: PeerEvent) {
        self.clients.tell(&event, |peer| self.is_linked(peer));
        let lost = match &event {
            PeerEvent::LinkDown(peer) => self.clients.lost(*peer),
            _ => Vec::new(),
        };
        self.inbound.event(event);
        for client in lost {
            self.inbound.event(PeerEvent::LinkDown(client));
            await_return(self, client);
        }
    }

    /// Another node tells that a client's connection has ended.
    pub(in crate::cluster) fn departed(self: &Arc<Self>, from: NodeKey, word: &[u8]) {
        match decode(word) {
            Ok(Departed { client, nonce }) => {
                if self.clients.departed(client, nonce, from) {
                    self.inbound.event(PeerEvent::LinkDown(client));
                    await_return(self, client);
                }
            }
            Err(error) => tracing::debug!(%from, %error, "a word about a client cannot be read and is dropped"),
        }
    }
}

/// Tells the other nodes that a connection has ended: those that have heard of the client remember it otherwise until the link
/// to this node breaks.
fn tell_departed(mesh: &Arc<Mesh>, departed: Departed) {
    let Ok(word) = encode(&departed) else { return };
    let word = Bytes::from(word);
    let others: Vec<_> = mesh.view.borrow().iter().map(|member| member.key).filter(|key| *key != mesh.me.key).collect();
    for node in others {
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
fn await_return(mesh: &Arc<Mesh>, client: NodeKey) {
    let (waiting, leave) = (mesh.clone(), mesh.clients.left(client));
    mesh.spawn(async move {
        sleep(GONE_AFTER).await;
        if waiting.clients.forget(client, leave) {
            waiting.inbound.event(PeerEvent::ClientGone(client));
        }
    });
}
