//! Takes connections, and lets in those that belong to the cluster.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::door::{Door, Place};
use super::handshake::{Guest, receive, within};
use super::keep::check;
use super::link::Link;
use super::peers::{Admitted, Connection};
use crate::cluster::limits::HANDSHAKES_MAX;
use crate::cluster::mesh::Mesh;
use crate::cluster::{Listener, Stream, edge, meters, trust};
use crate::wire::{HandshakeError, Hello, Purpose, Reason};

/// Takes connections until the node leaves.
pub(crate) async fn listen(mesh: Arc<Mesh>, mut listener: Box<dyn Listener>) {
    let mut rng = mesh.rng(b"listen");
    let mut backoff = mesh.timings.backoff();
    let door = Door::new(HANDSHAKES_MAX);
    for number in 0.. {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = mesh.leaving.cancelled() => return,
        };
        match accepted {
            Ok((stream, from)) => {
                backoff.reset();
                let Some(place) = door.enter(number).await else { return };
                mesh.spawn(serve(mesh.clone(), stream, from, place));
            }
            Err(error) => {
                mesh.noted.failure(&mesh.me.addr, "cannot accept a connection; are there too many open files?", &error);
                sleep(backoff.next_delay(&mut rng)).await;
            }
        }
    }
}

/// One incoming connection, from its beginning to its end.
async fn serve(mesh: Arc<Mesh>, stream: Box<dyn Stream>, from: String, place: Place) {
    let max = mesh.timings.handshake_max;
    let receiving = async { receive(mesh.trust.accepted(stream).await?, &mesh.trust).await };
    let received = tokio::select! {
        biased;
        received = within(max, receiving) => received.map_err(trust::explain),
        () = place.evicted() => Err(HandshakeError::Evicted),
    };
    place.heard();
    let mut guest = match received {
        Ok(guest) => guest,
        Err(error) => {
            meters::handshake_failed(&mesh.cluster_name, "acceptor", error.label());
            return mesh.noted.failure(host(&from), "a handshake failed", &error);
        }
    };
    match judge(&mesh, &guest.hello) {
        Err(reason) => {
            part(&mesh, &mut guest, reason).await;
            if guest.hello.member.id == mesh.me.id && guest.hello.member.incarnation > mesh.me.incarnation {
                mesh.supersede(&guest.hello.member);
            }
        }
        Ok(Granted::Answer) => answer(&mesh, guest).await,
        Ok(Granted::Introduction) => {
            drop(place);
            let asker = guest.hello.member.clone();
            match check(&mesh, &asker).await {
                Ok(()) => {
                    answer(&mesh, guest).await;
                    mesh.with_peers(|peers| peers.introduce(asker, Instant::now()));
                }
                Err(reason) => part(&mesh, &mut guest, reason).await,
            }
        }
        Ok(Granted::Link { nonce }) => {
            drop(place);
            link(&mesh, guest, nonce).await;
        }
        Ok(Granted::Client(served)) => {
            drop(place);
            edge::serve(&mesh, guest, served).await;
        }
        Ok(Granted::Bulk(link)) => {
            if within(max, guest.welcome(&mesh.me)).await.is_ok() {
                // It fails when the link has ended meanwhile, and then the connection ends too.
                let _ = link.send(guest.into());
            }
        }
    }
}

/// Says who is here.
async fn answer(mesh: &Mesh, mut guest: Guest) {
    let max = mesh.timings.handshake_max;
    // The asker may be gone already, and then the answer is of no use to anybody.
    let _ = within(max, guest.welcome(&mesh.me)).await;
    let _ = within(max, guest.writer.shutdown()).await;
}

/// A link that a peer dials, to its end.
async fn link(mesh: &Arc<Mesh>, mut guest: Guest, nonce: u64) {
    let peer = guest.hello.member.clone();
    let checked = check(mesh, &peer).await;
    let admitted = match checked.and_then(|()| mesh.with_peers(|peers| peers.admit(peer.clone(), nonce))) {
        Ok(admitted) => admitted,
        Err(reason) => return part(mesh, &mut guest, reason).await,
    };
    let Admitted { cut, ended, before, bulk } = admitted;
    let _ended = ended.drop_guard();
    if let Some(before) = before {
        before.cut.cancel();
        before.ended.cancelled().await;
    }
    let max = mesh.timings.handshake_max;
    let complete = async {
        within(max, guest.welcome(&mesh.me)).await?;
        // The other end is dropped when the link is replaced, or its bulk lane goes as it comes.
        within(max, async { bulk.await.map_err(|_| HandshakeError::StaleLink) }).await
    };
    let complete = tokio::select! {
        complete = complete => complete,
        () = cut.cancelled() => Err(HandshakeError::StaleLink),
    };
    let (key, addr) = (peer.key, peer.addr.clone());
    match complete {
        // The dialler has been told that it is let in, on both lanes before anything else: what it is sent, it can answer.
        Ok(bulk) => {
            mesh.noted.forget(&addr);
            Link { mesh: mesh.clone(), peer, control: guest.into(), bulk, over: cut }.carry().await;
        }
        Err(HandshakeError::StaleLink) => {
            tracing::debug!(%peer, "a link that the peer dialled was replaced, or broke as it began")
        }
        Err(error) => mesh.noted.failure(&addr, "a handshake failed", &error),
    }
    mesh.with_peers(|peers| peers.release(key, nonce));
}

/// What a dialler is let in for.
enum Granted {
    /// To be told who is here.
    Answer,
    /// The same, and to be dialled by this node, if it can be.
    Introduction,
    /// To be linked with, if it can be dialled itself.
    Link { nonce: u64 },
    /// To be the bulk lane of a link, which waits for the connection.
    Bulk(oneshot::Sender<Connection>),
    /// To call the cluster as a client.
    Client(Arc<edge::Served>),
}

/// Whether a dialler is let in, and for what.
fn judge(mesh: &Arc<Mesh>, hello: &Hello) -> Result<Granted, Reason> {
    let (me, them) = (&mesh.me, &hello.member);
    if hello.cluster_name != mesh.cluster_name {
        let (yours, mine) = (hello.cluster_name.clone(), mesh.cluster_name.clone());
        return Err(Reason::ClusterName { yours, mine });
    }
    if mesh.leaving.is_cancelled() || (them.id == me.id && them.incarnation > me.incarnation) {
        return Err(Reason::Leaving);
    }
    if them.id == me.id && them.incarnation < me.incarnation {
        return Err(Reason::Superseded { yours: Box::new(them.clone()), newest: Box::new(me.clone()) });
    }
    match hello.purpose {
        Purpose::Ask | Purpose::Check => {
            let peers = mesh.peers();
            peers.check_life(them)?;
            let introduced = hello.purpose == Purpose::Ask && peers.dials(them.key);
            Ok(if introduced { Granted::Introduction } else { Granted::Answer })
        }
        Purpose::Link { to, .. } | Purpose::Bulk { to, .. } if to != me.key => {
            Err(Reason::OtherNode { wanted: to, mine: Box::new(me.clone()) })
        }
        Purpose::Link { nonce, .. } => {
            mesh.peers().check_link(them, nonce)?;
            Ok(Granted::Link { nonce })
        }
        Purpose::Client { nonce } => Ok(Granted::Client(mesh.clients.admit(them.key, nonce)?)),
        Purpose::Bulk { nonce, .. } => Ok(Granted::Bulk(mesh.peers().attach(them.key, nonce)?)),
    }
}

/// Tells the dialler why it is not let in, and the log too.
async fn part(mesh: &Mesh, guest: &mut Guest, reason: Reason) {
    let told = within(mesh.timings.handshake_max, guest.refuse(&reason)).await;
    let (peer, error) = (&guest.hello.member.addr, reason.at_acceptor());
    meters::handshake_failed(&mesh.cluster_name, "acceptor", error.label());
    match error {
        error @ (HandshakeError::StaleLink
        | HandshakeError::WrongDialler
        | HandshakeError::Busy
        | HandshakeError::Leaving
        | HandshakeError::OtherNode { .. }) => {
            tracing::debug!(peer, %error, told = told.is_ok(), "refused a peer");
        }
        error => mesh.noted.failure(peer, "refused a peer", &error),
    }
}

/// The host of an address: the port of a dialler changes with every attempt and names nobody.
fn host(addr: &str) -> &str {
    addr.rsplit_once(':').map_or(addr, |(host, _)| host)
}
