//! Keeps a link with a peer: makes it, or has the peer make it, whenever there is none.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::handshake::{Greeted, greet, within};
use super::link::Link;
use super::peers::Target;
use crate::base::NodeKey;
use crate::cluster::mesh::Mesh;
use crate::cluster::trust::{self, Trust};
use crate::cluster::{Net, meters};
use crate::wire::{HandshakeError, Hello, Member, Purpose, Reason};

/// A link that lasted so long was a good one: the next is dialled without a long delay.
const GOOD_AFTER: Duration = Duration::from_secs(1);

/// A peer that has to dial this node, and has not for so long, may not know of it.
const ASK_AFTER: Duration = Duration::from_millis(100);

/// Keeps a link with a peer for as long as the table of peers asks for it.
pub(crate) async fn keep(mesh: Arc<Mesh>, key: NodeKey) {
    let mut rng = mesh.rng(&key.0.to_le_bytes());
    let mut backoff = mesh.timings.backoff();
    while !mesh.leaving.is_cancelled() {
        let Some(target) = mesh.peers().target(key, Instant::now()) else { return };
        let begun = Instant::now();
        let linked = match target.dials {
            true => dial(&mesh, &target).await,
            false => await_dialler(&mesh, &target).await,
        };
        match linked {
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
        HandshakeError::StaleLink | HandshakeError::Busy | HandshakeError::Leaving => {
            tracing::debug!(addr, %error, "no link");
        }
        error => mesh.noted.failure(addr, "cannot link to a peer", error),
    }
}

/// Makes a link and carries frames on it to its end: a connection for control, and one for bulk. An error means that it did not
/// begin.
async fn dial(mesh: &Arc<Mesh>, target: &Target) -> Result<(), HandshakeError> {
    let (to, nonce) = (target.member.key, mesh.next_nonce());
    let control = connect(mesh, target, Purpose::Link { to, nonce }).await?;
    let bulk = connect(mesh, target, Purpose::Bulk { to, nonce }).await?;
    mesh.noted.forget(&target.member.addr);
    let (peer, over) = (control.member.clone(), target.cut.clone());
    Link { mesh: mesh.clone(), peer, control: control.into(), bulk: bulk.into(), over }.carry().await;
    Ok(())
}

/// Leaves the dialling to the peer, which does so when it knows of this node: if it takes long, it is told.
async fn await_dialler(mesh: &Arc<Mesh>, target: &Target) -> Result<(), HandshakeError> {
    let key = target.member.key;
    if timeout(ASK_AFTER, mesh.links.until(key, true)).await.is_err() {
        connect(mesh, target, Purpose::Ask).await?;
    } else {
        mesh.links.until(key, false).await;
    }
    Ok(())
}

/// A connection to the node that is wanted and no other.
async fn connect(mesh: &Mesh, target: &Target, purpose: Purpose) -> Result<Greeted, HandshakeError> {
    let greeted = mesh.caller().connect(&target.member.addr, purpose).await?;
    if greeted.member.key != target.member.key {
        return Err(HandshakeError::OtherNode { wanted: target.member.key, found: Box::new(greeted.member) });
    }
    Ok(greeted)
}

/// Finds out whether a node that dials this one can be dialled itself: who cannot, and is let in by those of larger keys only,
/// would be half a member for ever.
pub(super) async fn check(mesh: &Arc<Mesh>, dialler: &Member) -> Result<(), Reason> {
    let Ok(_permit) = mesh.checks.try_acquire() else { return Err(Reason::Busy) };
    let caller = mesh.caller();
    // The dialler waits for the answer as long as for any, and has to hear it.
    let why = match timeout(caller.handshake_max / 2, caller.connect(&dialler.addr, Purpose::Check)).await {
        Ok(Ok(greeted)) if greeted.member.key == dialler.key => return Ok(()),
        Ok(Ok(greeted)) => format!("{} answers there", greeted.member),
        Ok(Err(HandshakeError::Leaving)) => return Err(Reason::Leaving),
        Ok(Err(error)) => {
            // It may be this node's own life that is over.
            if let HandshakeError::Superseded { .. } = error {
                explain(mesh, &dialler.addr, &error);
            }
            error.to_string()
        }
        Err(_) => "there is no answer".to_owned(),
    };
    Err(Reason::Unreachable { yours: Box::new(dialler.clone()), why })
}
