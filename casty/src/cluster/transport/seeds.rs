//! Asks where the cluster is, and at each place who is there, for ever: a seed may start later than those who ask it, and a
//! partition may end where only a seed joins both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::handshake::Greeted;
use super::keep::explain;
use super::peers::INTRODUCED_FOR;
use crate::base::BoxError;
use crate::cluster::Discovery;
use crate::cluster::limits::DISCOVERED_MAX;
use crate::cluster::mesh::Mesh;
use crate::wire::{HandshakeError, Member, Purpose};

/// How often a node that has a link asks where others are.
const DISCOVER_EVERY: Duration = Duration::from_secs(5);

/// Who was last found at each seed's address.
#[derive(Default)]
pub(crate) struct Seeds {
    met: Mutex<BTreeMap<String, Member>>,
}

impl Seeds {
    /// The seeds that answered so far.
    pub(crate) fn met(&self) -> Vec<Member> {
        self.met.lock().values().cloned().collect()
    }
}

/// Follows each address that is discovered, for as long as it is.
pub(crate) async fn discover(mesh: Arc<Mesh>, discovery: Arc<dyn Discovery>) {
    let mut rng = mesh.rng(b"discovery");
    let mut backoff = mesh.timings.backoff();
    let mut followed = BTreeMap::new();
    while !mesh.leaving.is_cancelled() {
        match find(&mesh, &*discovery).await {
            Ok(found) => {
                follow(&mesh, &mut followed, found);
                if mesh.links.any() {
                    backoff.reset();
                }
            }
            Err(error) => mesh.noted.failure("discovery", "cannot find out where the cluster is", &error),
        }
        let delay = if mesh.links.any() { DISCOVER_EVERY } else { backoff.next_delay(&mut rng) };
        tokio::select! {
            () = sleep(delay) => {}
            () = mesh.leaving.cancelled() => return,
        }
    }
}

async fn find(mesh: &Mesh, discovery: &dyn Discovery) -> Result<BTreeSet<String>, BoxError> {
    let max = mesh.timings.handshake_max;
    let found = timeout(max, discovery.addresses()).await;
    let found = found.map_err(|_| format!("no answer within {max:?} of {discovery:?}"))??;
    Ok(found.into_iter().take(DISCOVERED_MAX).collect())
}

/// Begins to follow what is new, and ends with what is there no more.
fn follow(mesh: &Arc<Mesh>, followed: &mut BTreeMap<String, DropGuard>, found: BTreeSet<String>) {
    followed.retain(|addr, _| found.contains(addr));
    for addr in found {
        if followed.contains_key(&addr) {
            continue;
        }
        let over = CancellationToken::new();
        followed.insert(addr.clone(), over.clone().drop_guard());
        let following = mesh.clone();
        mesh.spawn(async move {
            tokio::select! {
                () = follow_seed(&following, &addr) => {}
                () = over.cancelled() => {}
            }
            following.seeds.met.lock().remove(&addr);
        });
    }
}

/// Asks who is at a seed's address whenever there is no link with who was there last.
async fn follow_seed(mesh: &Arc<Mesh>, addr: &str) {
    let mut rng = mesh.rng(addr.as_bytes());
    let mut backoff = mesh.timings.backoff();
    while !mesh.leaving.is_cancelled() {
        match ask(mesh, addr).await {
            Ok(None) => return tracing::debug!(addr, "this node is its own seed"),
            Ok(Some(member)) => {
                let key = member.key;
                mesh.seeds.met.lock().insert(addr.to_owned(), member.clone());
                mesh.with_peers(|peers| peers.introduce(member, Instant::now()));
                if timeout(INTRODUCED_FOR, mesh.links.until(key, true)).await.is_ok() {
                    backoff.reset();
                    mesh.links.until(key, false).await;
                }
            }
            Err(error) => explain(mesh, addr, &error),
        }
        tokio::select! {
            () = sleep(backoff.next_delay(&mut rng)) => {}
            () = mesh.leaving.cancelled() => return,
        }
    }
}

/// Who is at the address; `None` is this node itself.
async fn ask(mesh: &Mesh, addr: &str) -> Result<Option<Member>, HandshakeError> {
    let Greeted { member, .. } = mesh.caller().connect(addr, Purpose::Ask).await?;
    if member.key != mesh.me.key {
        return Ok(Some(member));
    }
    if member.addr == mesh.me.addr { Ok(None) } else { Err(HandshakeError::SameLife { other: Box::new(member) }) }
}
