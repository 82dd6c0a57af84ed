//! What all tasks of a node's cluster side share.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, MutexGuard};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::edge::Clients;
use super::limits::CHECKS_MAX;
use super::membership::Input;
use super::transport::{Caller, Links, Noted, PeerTable, Seeds, keep};
use super::trust::Trust;
use super::{ClusterError, Compression, Inbound, Net, PeerEvent, Settings, Timings};
use crate::base::stable_hash_parts;
use crate::wire::Member;

/// What all tasks of a node's cluster side share. They hold it, and it holds none of them.
pub(crate) struct Mesh {
    pub(crate) me: Member,
    pub(crate) cluster_name: String,
    pub(crate) timings: Timings,
    pub(crate) trust: Trust,
    pub(crate) compression: Compression,
    pub(crate) net: Arc<dyn Net>,
    pub(crate) inbound: Arc<dyn Inbound>,
    pub(crate) links: Arc<Links>,
    pub(crate) clients: Clients,
    pub(crate) seeds: Seeds,
    pub(crate) noted: Noted,
    /// Peers that may be dialled back now, to see whether they can be.
    pub(crate) checks: Semaphore,
    /// The way to the membership task.
    pub(crate) gossip: mpsc::Sender<Input>,
    /// Packets of the membership protocol that were dropped since they could not be understood or came too fast.
    pub(crate) gossip_errors: AtomicU64,
    /// The members that are believed to be alive, this node among them, by id.
    pub(crate) view: watch::Sender<Arc<[Member]>>,
    /// No new links.
    pub(crate) leaving: CancellationToken,
    /// The end of every task.
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    peers: Mutex<PeerTable>,
    /// Grows with every link that is dialled.
    nonce: AtomicU64,
    seed: u64,
    superseded: OnceLock<Member>,
}

impl Mesh {
    pub(super) fn new(
        settings: Settings,
        me: Member,
        net: Arc<dyn Net>,
        inbound: Arc<dyn Inbound>,
        gossip: mpsc::Sender<Input>,
    ) -> Result<Self, ClusterError> {
        let stop = CancellationToken::new();
        Ok(Self {
            trust: Trust::new(&settings)?,
            cluster_name: settings.cluster_name,
            timings: settings.timings,
            compression: settings.compression,
            net,
            inbound,
            links: Arc::new(Links::new()),
            clients: Clients::new(),
            seeds: Seeds::default(),
            noted: Noted::default(),
            checks: Semaphore::new(CHECKS_MAX),
            gossip,
            gossip_errors: AtomicU64::new(0),
            view: watch::Sender::new([me.clone()].into()),
            leaving: CancellationToken::new(),
            peers: Mutex::new(PeerTable::new(me.clone(), stop.clone())),
            stop,
            tasks: TaskTracker::new(),
            nonce: AtomicU64::new(settings.first_number + 1),
            seed: settings.seed,
            superseded: OnceLock::new(),
            me,
        })
    }

    /// Runs a task until it ends or the node stops.
    pub(crate) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Changes the table of peers, and starts to keep the links that it asks for then.
    pub(crate) fn with_peers<T>(self: &Arc<Self>, change: impl FnOnce(&mut PeerTable) -> T) -> T {
        let mut peers = self.peers();
        let result = change(&mut peers);
        let to_keep = if self.leaving.is_cancelled() { Vec::new() } else { peers.start_keeping(Instant::now()) };
        drop(peers);
        for key in to_keep {
            self.spawn(keep(self.clone(), key));
        }
        result
    }

    /// How this node dials.
    pub(crate) fn caller(&self) -> Caller<'_> {
        let handshake_max = self.timings.handshake_max;
        Caller { me: &self.me, cluster_name: &self.cluster_name, trust: &self.trust, net: &*self.net, handshake_max }
    }

    /// The table of peers, to look at.
    pub(crate) fn peers(&self) -> MutexGuard<'_, PeerTable> {
        self.peers.lock()
    }

    pub(crate) fn next_nonce(&self) -> u64 {
        self.nonce.fetch_add(1, Ordering::Relaxed)
    }

    /// A generator of this node's for one purpose: what one task draws does not depend on when others do.
    pub(crate) fn rng(&self, purpose: &[u8]) -> StdRng {
        StdRng::seed_from_u64(stable_hash_parts(&[&self.seed.to_le_bytes(), purpose]))
    }

    /// A later life of this node is a member: this one ends its part in the cluster.
    pub(crate) fn supersede(&self, newest: &Member) {
        if self.superseded.set(newest.clone()).is_err() {
            return;
        }
        tracing::error!(
            me = %self.me, %newest,
            "another process has taken this node's place; give every node a `node_id` of its own and stop this one"
        );
        self.inbound.event(PeerEvent::Superseded(newest.clone()));
        self.leaving.cancel();
        self.stop.cancel();
    }
}
