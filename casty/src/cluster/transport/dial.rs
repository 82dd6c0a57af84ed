//! Makes the outgoing link to a peer, and makes it again whenever it is lost.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::handshake::{Greeted, Reader, Writer, greet, within};
use super::links::Lanes;
use super::peers::Target;
use super::writer::write_frames;
use crate::base::NodeKey;
use crate::cluster::membership::Input;
use crate::cluster::mesh::Mesh;
use crate::cluster::trust::{self, Trust};
use crate::cluster::{Net, PeerEvent, meters};
use crate::wire::{Features, HandshakeError, Hello, Member, Purpose};

/// A link that lasted so long was a good one: the next is dialled without a long delay.
const GOOD_AFTER: Duration = Duration::from_secs(1);

/// Keeps a link to a peer for as long as the table of peers asks for it.
pub(crate) async fn dial(mesh: Arc<Mesh>, key: NodeKey) {
    let mut rng = mesh.rng(&key.0.to_le_bytes());
    let mut backoff = mesh.timings.backoff();
    while !mesh.leaving.is_cancelled() {
        let Some(target) = mesh.peers().target(key, Instant::now()) else { return };
        let begun = Instant::now();
        match link(&mesh, &target).await {
            Ok(()) if begun.elapsed() >= GOOD_AFTER => backoff.reset(),
            Ok(()) => {}
            Err(error) => explain(&mesh, &target.member.addr, &error),
        }
        tokio::select! {
            () = sleep(backoff.next_delay(&mut rng)) => {}
            () = target.wake.notified() => {}
            () = mesh.leaving.cancelled() => return,
        }
    }
}

/// Who dials, and how.
pub(in crate::cluster) struct Caller<'a> {
    pub(in crate::cluster) me: &'a Member,
    pub(in crate::cluster) cluster_name: &'a str,
    pub(in crate::cluster) trust: &'a Trust,
    pub(in crate::cluster) net: &'a dyn Net,
    pub(in crate::cluster) handshake_max: Duration,
}

impl Caller<'_> {
    /// Connects to an address and says hello. Returns who answered.
    pub(in crate::cluster) async fn connect(&self, addr: &str, purpose: Purpose) -> Result<Greeted, HandshakeError> {
        let Self { me, cluster_name, trust, net, handshake_max: max } = *self;
        let hello = Hello { cluster_name: cluster_name.to_owned(), member: me.clone(), purpose };
        let stream = within(max, net.connect(addr)).await?;
        let greeting = async { greet(trust.dialled(stream, addr).await?, trust, &hello).await };
        within(max, greeting).await.map_err(trust::explain).inspect_err(|error| {
            meters::handshake_failed(cluster_name, "dialler", error.label());
        })
    }
}

/// Tells the log why there is no link, and follows the hints that a refusal gives.
pub(super) fn explain(mesh: &Arc<Mesh>, addr: &str, error: &HandshakeError) {
    match error {
        HandshakeError::OtherNode { found, .. } => {
            tracing::debug!(addr, %error, "another life answered");
            mesh.with_peers(|peers| peers.introduce((**found).clone(), Instant::now()));
        }
        HandshakeError::Superseded { newest, .. } if newest.id == mesh.me.id => mesh.supersede(newest),
        HandshakeError::StaleLink | HandshakeError::Leaving => tracing::debug!(addr, %error, "no link"),
        error => mesh.noted.failure(addr, "cannot link to a peer", error),
    }
}

/// One link, from its beginning to its end: a connection for control, and one for bulk. It is open while both are. An error
/// means that it did not begin.
async fn link(mesh: &Arc<Mesh>, target: &Target) -> Result<(), HandshakeError> {
    let (to, nonce) = (target.member.key, mesh.next_nonce());
    let Greeted { member, terms, mut reader, mut writer } = lane(mesh, target, Purpose::Link { to, nonce }).await?;
    let mut bulk = lane(mesh, target, Purpose::Bulk { to, nonce }).await?;
    mesh.noted.forget(&member.addr);
    tracing::debug!(peer = %member, version = terms.version, "linked");
    let understood = bulk.terms.features.contains(Features::LZ4);
    let lanes = Arc::new(Lanes::new(mesh.compression.above().filter(|_| understood)));
    let open = mesh.links.open(to, lanes.clone());
    if mesh.leaving.is_cancelled() {
        lanes.seal();
    }
    mesh.tell(PeerEvent::LinkUp(to));
    // It fails when the membership task has ended, and then nobody needs to know.
    let _ = mesh.gossip.send(Input::LinkUp(member.clone())).await;
    let bulk_writing = AbortOnDropHandle::new(mesh.tasks.spawn(write_bulk(mesh.clone(), lanes.clone(), bulk.writer)));
    let writing = async {
        let control = write_frames(&mut writer, &lanes.control, &mesh.timings);
        let ((), mut bulk) = tokio::try_join!(control, async { bulk_writing.await.map_err(io::Error::other)? })?;
        // Not before all is written: an acceptor that sees the one lane end does not wait long for the other.
        tokio::try_join!(writer.shutdown(), bulk.shutdown())
    };
    let why = tokio::select! {
        written = writing => match written {
            Ok(_) => "this node is leaving".to_owned(),
            Err(error) => error.to_string(),
        },
        why = ended(&mut reader) => why,
        why = ended(&mut bulk.reader) => why,
        () = target.cut.cancelled() => "the peer is silent, or was replaced".to_owned(),
    };
    drop(open);
    tracing::debug!(peer = %member, why, "the link to the peer ended");
    mesh.tell(PeerEvent::LinkDown(to));
    Ok(())
}

/// Writes the bulk lane to its end, and gives the connection back. It is a task of its own, since it waits for those who encode
/// or compress large frames.
async fn write_bulk(mesh: Arc<Mesh>, lanes: Arc<Lanes>, mut writer: Writer) -> io::Result<Writer> {
    write_frames(&mut writer, &lanes.bulk, &mesh.timings).await.map(|()| writer)
}

/// One connection of a link, to the node that is wanted and no other.
async fn lane(mesh: &Mesh, target: &Target, purpose: Purpose) -> Result<Greeted, HandshakeError> {
    let greeted = mesh.caller().connect(&target.member.addr, purpose).await?;
    if greeted.member.key != target.member.key {
        return Err(HandshakeError::OtherNode { wanted: target.member.key, found: Box::new(greeted.member) });
    }
    Ok(greeted)
}

/// Waits for the end of a connection on which nothing may come.
async fn ended(reader: &mut Reader) -> String {
    match reader.next(Duration::MAX).await {
        Ok(None) => "the peer closed it".to_owned(),
        Ok(Some((kind, _))) => format!("the peer answered with a frame of {kind:?} where it may only listen"),
        Err(error) => error.to_string(),
    }
}
