//! Asks the seeds for the cluster, for ever: a seed may start later than those who ask it, and a partition may end
//! where only a seed joins both sides.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::{Instant, sleep, timeout};

use super::dial::{connect, explain};
use super::handshake::Greeted;
use super::peers::INTRODUCED_FOR;
use crate::cluster::mesh::Mesh;
use crate::wire::{HandshakeError, Member, Purpose};

/// Who was last found at each seed's address.
pub(crate) struct Seeds {
    met: Mutex<Vec<Option<Member>>>,
}

impl Seeds {
    pub(crate) fn new(seeds: usize) -> Self {
        Self { met: Mutex::new(vec![None; seeds]) }
    }

    /// The seeds that answered so far.
    pub(crate) fn met(&self) -> Vec<Member> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().cloned().collect()
    }

    fn meet(&self, seed: usize, member: Member) {
        if let Some(met) = self.met.lock().unwrap_or_else(PoisonError::into_inner).get_mut(seed) {
            *met = Some(member);
        }
    }
}

/// Asks who is at a seed's address whenever there is no link with who was there last.
pub(crate) async fn follow_seed(mesh: Arc<Mesh>, seed: usize, addr: String) {
    let mut rng = mesh.rng(addr.as_bytes());
    let mut backoff = mesh.timings.backoff();
    while !mesh.leaving.is_cancelled() {
        match ask(&mesh, &addr).await {
            Ok(None) => return tracing::debug!(addr, "this node is its own seed"),
            Ok(Some(member)) => {
                let key = member.key;
                mesh.seeds.meet(seed, member.clone());
                mesh.with_peers(|peers| peers.introduce(member, Instant::now()));
                if timeout(INTRODUCED_FOR, mesh.links.until(key, true)).await.is_ok() {
                    backoff.reset();
                    mesh.links.until(key, false).await;
                }
            }
            Err(error) => explain(&mesh, &addr, &error),
        }
        tokio::select! {
            () = sleep(backoff.next_delay(&mut rng)) => {}
            () = mesh.leaving.cancelled() => return,
        }
    }
}

/// Who is at the address; `None` is this node itself.
async fn ask(mesh: &Mesh, addr: &str) -> Result<Option<Member>, HandshakeError> {
    let Greeted { member, .. } = connect(mesh, addr, Purpose::Ask).await?;
    if member.key != mesh.me.key {
        return Ok(Some(member));
    }
    if member.addr == mesh.me.addr { Ok(None) } else { Err(HandshakeError::SameLife { other: Box::new(member) }) }
}
