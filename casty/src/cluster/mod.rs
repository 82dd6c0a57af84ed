//! Which nodes there are, and how frames get to them.
//!
//! [`Cluster::start`] listens, asks the seeds for the other nodes, and keeps a link with every member: two connections, one for
//! each [`Lane`], so that votes and heartbeats wait for nothing else. Two protocols
//! stand on these links: this module's own membership (SWIM), and whatever the layers above [send](Cluster::send).
//!
//! For programs, this is [`Member`], which [`Node::members`](crate::Node::members) gives. The rest is for those who build on
//! the links themselves, or hand in another [`Net`]: a node is started through [`ClusterConfig`](crate::ClusterConfig).
//!
//! Membership is a *belief*: it says who is probably alive, and differs between nodes for a while. What must be
//! agreed is not decided here.

mod discovery;
mod edge;
mod error;
mod inbound;
mod limits;
mod membership;
mod mesh;
mod meters;
mod net;
mod settings;
mod transport;
mod trust;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

pub use self::discovery::{Discovery, DnsDiscovery};
#[cfg(feature = "dns-srv")]
pub use self::discovery::{SrvDiscovery, SrvError};
pub use self::error::{ClusterError, SendFailure};
pub use self::inbound::{Inbound, PeerEvent};
pub use self::limits::{BULK_BYTES_MAX, CONTROL_BYTES_MAX};
pub use self::net::{Halves, Listener, Net, Stream, TcpNet};
pub use self::settings::{Compression, Settings, Timings};
pub use self::transport::Lane;
pub use self::trust::{Tls, TlsError};
pub use crate::wire::{Kind, Member, NAME_BYTES_MAX, Role, SECRET_BYTES_MIN, Secret};

pub(crate) use self::edge::Uplink;
#[cfg(feature = "sim")]
pub(crate) use self::edge::{Departed, Envelope, News, Relayed};
pub(crate) use self::limits::KNOWN_NODES_MAX;
#[cfg(feature = "sim")]
pub(crate) use self::membership::{hear, samples};
pub(crate) use self::trust::check as check_trust;
pub(crate) use crate::wire::Labels;

use self::membership::{Input, Membership};
use self::mesh::Mesh;
use crate::base::NodeKey;

/// How long a node that leaves waits until the others have been told.
const LEAVE_MAX: Duration = Duration::from_secs(1);

/// A node's part in a cluster. Dropping it ends the part without a word to the others, as a crash does.
pub struct Cluster {
    mesh: Arc<Mesh>,
}

impl Cluster {
    /// Listens, and begins to look for the others. It does not wait for any of them.
    ///
    /// `inbound` is kept until the `Cluster` is dropped: let it hold the `Cluster` weakly.
    pub async fn start(
        settings: Settings,
        net: Arc<dyn Net>,
        inbound: Arc<dyn Inbound>,
    ) -> Result<Arc<Self>, ClusterError> {
        settings.check()?;
        let bind = |source| ClusterError::Bind { address: settings.bind.clone(), source };
        let listener = net.bind(&settings.bind).await.map_err(bind)?;
        let me = settings.member(listener.port().map_err(bind)?)?;
        tracing::info!(%me, cluster = settings.cluster_name, "listening");
        let (gossip, inputs) = mpsc::channel(limits::GOSSIP_QUEUE_MAX);
        let seeds: Arc<dyn Discovery> = Arc::new(settings.seeds.clone());
        let discoveries = [seeds].into_iter().chain(settings.discovery.clone());
        let mesh = Arc::new(Mesh::new(settings, me, net, inbound, gossip)?);
        mesh.spawn(Membership::new(mesh.clone()).run(inputs));
        mesh.spawn(transport::listen(mesh.clone(), listener));
        for discovery in discoveries {
            mesh.spawn(transport::discover(mesh.clone(), discovery));
        }
        Ok(Arc::new(Self { mesh }))
    }

    /// This node. Its `bump` is the one that it started with.
    pub fn me(&self) -> &Member {
        &self.mesh.me
    }

    /// The members that are believed to be alive, this node among them, by id.
    pub fn members(&self) -> Vec<Member> {
        self.mesh.view.borrow().to_vec()
    }

    /// The members as they change.
    pub fn watch(&self) -> watch::Receiver<Arc<[Member]>> {
        self.mesh.view.subscribe()
    }

    /// The member with this key, if it is believed to be alive.
    pub fn member(&self, key: NodeKey) -> Option<Member> {
        self.mesh.view.borrow().iter().find(|member| member.key == key).cloned()
    }

    /// Whether the node with this key is believed to be alive.
    pub fn is_member(&self, key: NodeKey) -> bool {
        self.mesh.view.borrow().iter().any(|member| member.key == key)
    }

    /// Queues a frame for another node. `encode` appends the body; it runs under a lock that other senders to that
    /// node wait for.
    ///
    /// `Ok` means queued, not received: when the link breaks, what was queued is lost. Frames of one lane arrive in
    /// the order in which they were queued. On a failure nothing was queued.
    pub fn send(
        &self,
        to: NodeKey,
        lane: Lane,
        kind: Kind,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), SendFailure> {
        let Mesh { me, links, clients, .. } = &*self.mesh;
        match links.get(to) {
            Some(lanes) => lanes.push(lane, kind, encode),
            None => clients.send((me.key, links), to, kind, encode),
        }
    }

    /// Whether this is the key of a client that is connected to this node, or has called by way of another, and is not gone.
    pub fn is_client(&self, key: NodeKey) -> bool {
        self.mesh.clients.is_known(key)
    }

    /// Ends the connection of a client to this node. The client makes another, to some node.
    pub(crate) fn let_go(&self, client: NodeKey) {
        self.mesh.clients.let_go(client);
    }

    /// Waits until there is room on the bulk lane to the node again, after [`SendFailure::Full`], or until that link is gone.
    pub fn room(&self, to: NodeKey) -> impl Future<Output = ()> + Send + 'static {
        let mesh = self.mesh.clone();
        async move {
            match mesh.links.is_open(to) {
                true => mesh.links.room(to).await,
                false => mesh.clients.room(&mesh.links, to).await,
            }
        }
    }

    /// Whether there is a link with the node, so that a frame could be sent now, and answered. If it breaks, there will be a
    /// [`PeerEvent::LinkDown`].
    pub fn is_linked(&self, to: NodeKey) -> bool {
        self.mesh.links.is_open(to) || self.mesh.clients.is_linked(to, |peer| self.mesh.links.is_open(peer))
    }

    /// Packets of the membership protocol that were dropped so far, since they could not be understood or came faster
    /// than they were read.
    pub fn gossip_errors(&self) -> u64 {
        self.mesh.gossip_errors.load(Ordering::Relaxed)
    }

    /// Leaves: tells the others, writes what is queued, closes all links, and ends every task. It takes about a
    /// second at most. Nothing is told to `Inbound` after it.
    pub async fn shutdown(&self) {
        let (done, told) = oneshot::channel();
        let leave = async {
            if self.mesh.gossip.send(Input::Leave(done)).await.is_ok() {
                // It fails when the membership task has ended, and then there is nothing to tell.
                let _ = told.await;
            }
            self.mesh.leaving.cancel();
            self.mesh.links.seal();
            self.mesh.clients.seal();
            self.mesh.links.until_none().await;
            self.mesh.clients.until_none().await;
        };
        if timeout(LEAVE_MAX, leave).await.is_err() {
            tracing::warn!(after = ?LEAVE_MAX, "left without having told all that was queued");
        }
        self.mesh.leaving.cancel();
        self.mesh.stop.cancel();
        self.mesh.tasks.close();
        self.mesh.tasks.wait().await;
    }

    /// Ends the part as a crash does: nothing is taken that would be sent, and the links close.
    pub(crate) fn cut(&self) {
        // In this order: a link that opens meanwhile is sealed by who opens it.
        self.mesh.leaving.cancel();
        self.mesh.links.seal();
        self.mesh.clients.seal();
        self.mesh.stop.cancel();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.cut();
    }
}

#[cfg(test)]
mod tests;
