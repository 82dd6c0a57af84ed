//! A client's connection to the cluster, by way of one of its nodes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use parking_lot::{Mutex, MutexGuard};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

use super::envelope::Envelope;
use super::news::News;
use super::{outbox, timings, write};
use crate::base::{BoxError, NodeKey, StableMap};
use crate::cluster::limits::DISCOVERED_MAX;
use crate::cluster::transport::{Caller, Greeted, Noted, Outbox};
use crate::cluster::trust::Trust;
use crate::cluster::{ClusterError, Discovery, Inbound, Net, PeerEvent, SendFailure, Settings, Timings};
use crate::codec::decode;
use crate::wire::{FRAME_BYTES_MAX, FrameError, Kind, Member, Purpose, Role};

/// A connection that lasted so long was a good one: the next is made without a long delay.
const GOOD_AFTER: Duration = Duration::from_secs(1);

/// So long one address has for itself before the next is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// How long a client that ends waits until what it has said is written.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// A client's connection to the cluster. When it is lost, another is made, through whichever node answers.
pub(crate) struct Uplink {
    me: Member,
    shared: Arc<Shared>,
    /// The node that serves this client now.
    through: watch::Receiver<Option<Member>>,
    _stop: DropGuard,
}

/// What the task that keeps the connection shares with those who send.
struct Shared {
    settings: Settings,
    trust: Trust,
    me: Member,
    net: Arc<dyn Net>,
    inbound: Arc<dyn Inbound>,
    timings: Timings,
    noted: Noted,
    discoveries: Vec<Arc<dyn Discovery>>,
    state: Mutex<State>,
    /// Why the last attempt failed.
    failure: Mutex<Option<String>>,
    through: watch::Sender<Option<Member>>,
    /// Ends the present connection.
    present: Mutex<CancellationToken>,
    /// Where the connection before led to. It is tried last.
    before: Mutex<Option<String>>,
    sealed: CancellationToken,
    stop: CancellationToken,
    done: CancellationToken,
}

#[derive(Default)]
struct State {
    outbox: Option<Arc<Outbox>>,
    members: StableMap<NodeKey, Member>,
    /// The members that frames get to.
    linked: BTreeSet<NodeKey>,
}

impl Uplink {
    /// Begins to look for a node that serves this client. It does not wait for one.
    pub(crate) fn start(
        settings: Settings,
        net: Arc<dyn Net>,
        inbound: Arc<dyn Inbound>,
    ) -> Result<Arc<Self>, ClusterError> {
        let trust = Trust::new(&settings)?;
        let id = settings.node_id.clone().unwrap_or_else(|| format!("client-{:016x}", settings.seed).as_str().into());
        let me = Member::new(id, settings.incarnation, "client:0", Role::Observer);
        let seeds: Arc<dyn Discovery> = Arc::new(settings.seeds.clone());
        let (through, seen) = watch::channel(None);
        let shared = Arc::new(Shared {
            trust,
            me: me.clone(),
            net,
            inbound,
            timings: timings(&settings.timings),
            noted: Noted::default(),
            discoveries: [seeds].into_iter().chain(settings.discovery.clone()).collect(),
            settings,
            state: Mutex::default(),
            failure: Mutex::default(),
            through,
            present: Mutex::default(),
            before: Mutex::default(),
            sealed: CancellationToken::new(),
            stop: CancellationToken::new(),
            done: CancellationToken::new(),
        });
        let keeping = shared.clone();
        tokio::spawn(async move {
            let _done = keeping.done.clone().drop_guard();
            tokio::select! {
                () = keeping.keep() => {}
                () = keeping.stop.cancelled() => {}
            }
            keeping.disconnected();
        });
        let _stop = shared.stop.clone().drop_guard();
        Ok(Arc::new(Self { me, shared, through: seen, _stop }))
    }

    /// Who this client is. It has no address: nobody dials it.
    pub(crate) fn me(&self) -> &Member {
        &self.me
    }

    /// The node that serves this client now.
    pub(crate) fn through(&self) -> Option<Member> {
        self.through.borrow().clone()
    }

    /// The node that serves this client, as that changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Member>> {
        self.through.clone()
    }

    /// Why the last attempt to connect failed.
    pub(crate) fn failure(&self) -> Option<String> {
        self.shared.failure.lock().clone()
    }

    /// The members of the cluster, as far as the client's node has told, by id.
    pub(crate) fn members(&self) -> Vec<Member> {
        let mut members: Vec<_> = self.shared.state().members.values().cloned().collect();
        members.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        members
    }

    /// Whether the node is a member, as far as the client's node has told.
    pub(crate) fn is_member(&self, node: NodeKey) -> bool {
        self.shared.state().members.contains_key(&node)
    }

    /// Whether frames get to the node, and back. If that ends, there will be a [`PeerEvent::LinkDown`].
    pub(crate) fn is_linked(&self, node: NodeKey) -> bool {
        self.shared.state().linked.contains(&node)
    }

    /// Queues a frame for a node: as [`Cluster::send`](crate::cluster::Cluster::send).
    pub(crate) fn send(&self, to: NodeKey, kind: Kind, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), SendFailure> {
        let state = self.shared.state();
        let outbox = state.outbox.clone().filter(|_| state.linked.contains(&to)).ok_or(SendFailure::NotConnected)?;
        drop(state);
        outbox.push(Kind::RELAY, |out| Envelope::write(to, kind, out, encode))
    }

    /// Waits until there is room for a frame, or no connection.
    pub(crate) fn room(&self) -> impl Future<Output = ()> + Send + 'static {
        let outbox = self.shared.state().outbox.clone();
        async move {
            if let Some(outbox) = outbox {
                outbox.room().await;
            }
        }
    }

    /// The present node is of no use: another is looked for.
    pub(crate) fn elsewhere(&self) {
        self.shared.present.lock().cancel();
    }

    /// Writes what is queued, and ends the connection.
    pub(crate) async fn shutdown(&self) {
        self.shared.sealed.cancel();
        if let Some(outbox) = self.shared.state().outbox.clone() {
            outbox.seal();
        }
        if timeout(FLUSH_MAX, self.shared.done.cancelled()).await.is_err() {
            tracing::warn!(after = ?FLUSH_MAX, "the client ended without having told all that was queued");
        }
        self.shared.stop.cancel();
        self.shared.done.cancelled().await;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Keeps a connection until the client ends.
    async fn keep(&self) {
        let mut rng = StdRng::seed_from_u64(self.settings.seed);
        let mut backoff = self.timings.backoff();
        let mut nonce = 0;
        while !self.sealed.is_cancelled() {
            let mut addresses = self.addresses().await;
            addresses.shuffle(&mut rng);
            let before = self.before.lock().clone();
            addresses.sort_by_key(|addr| before.as_ref() == Some(addr));
            if let Some(greeted) = self.first_of(addresses, &mut nonce).await {
                let begun = Instant::now();
                let why = self.exchange(greeted).await;
                self.disconnected();
                tracing::info!(why, "the connection to the cluster ended");
                if begun.elapsed() >= GOOD_AFTER {
                    backoff.reset();
                }
            }
            tokio::select! {
                () = sleep(backoff.next_delay(&mut rng)) => {}
                () = self.sealed.cancelled() => {}
            }
        }
    }

    /// Where nodes may be: what the client was told, and the members that it has heard of.
    async fn addresses(&self) -> Vec<String> {
        let mut addresses: BTreeSet<_> = self.state().members.values().map(|member| member.addr.clone()).collect();
        for discovery in &self.discoveries {
            match self.discover(&**discovery).await {
                Ok(found) => addresses.extend(found.into_iter().take(DISCOVERED_MAX)),
                Err(error) => {
                    self.failed(format!("cannot find out where the cluster is: {error}"));
                    self.noted.failure("discovery", "cannot find out where the cluster is", &error);
                }
            }
        }
        addresses.into_iter().collect()
    }

    async fn discover(&self, discovery: &dyn Discovery) -> Result<Vec<String>, BoxError> {
        timeout(self.timings.handshake_max, discovery.addresses()).await?
    }

    /// The first node of these addresses that takes this client. One after the other is tried, and a slow one is not waited
    /// for: a machine that is gone says nothing at all.
    async fn first_of(&self, addresses: Vec<String>, nonce: &mut u64) -> Option<Greeted> {
        let mut untried = addresses.into_iter();
        let mut attempts = FuturesUnordered::new();
        loop {
            match untried.next() {
                Some(addr) => {
                    *nonce += 1;
                    attempts.push(self.connect(addr, *nonce));
                }
                None if attempts.is_empty() => return None,
                None => {}
            }
            let more = untried.len() > 0;
            tokio::select! {
                Some(greeted) = attempts.next() => if greeted.is_some() { return greeted },
                () = sleep(STAGGER), if more => {}
                () = self.sealed.cancelled() => return None,
            }
        }
    }

    async fn connect(&self, addr: String, nonce: u64) -> Option<Greeted> {
        let Settings { cluster_name, .. } = &self.settings;
        let (me, trust, net, handshake_max) = (&self.me, &self.trust, &*self.net, self.timings.handshake_max);
        let caller = Caller { me, cluster_name, trust, net, handshake_max };
        match caller.connect(&addr, Purpose::Client { nonce }).await {
            Ok(greeted) => {
                self.noted.forget(&addr);
                Some(greeted)
            }
            Err(error) => {
                self.failed(format!("{addr}: {error}"));
                self.noted.failure(&addr, "cannot connect to a node", &error);
                None
            }
        }
    }

    /// Reads and writes until either ends, and says why.
    async fn exchange(&self, greeted: Greeted) -> String {
        let Greeted { member, mut reader, writer, .. } = greeted;
        let (outbox, over) = (Arc::new(outbox()), CancellationToken::new());
        *self.present.lock() = over.clone();
        *self.before.lock() = Some(member.addr.clone());
        self.state().outbox = Some(outbox.clone());
        if self.sealed.is_cancelled() {
            outbox.seal();
        }
        let (outgoing, paced) = (outbox.clone(), self.timings.clone());
        let writing = async move { write(writer, &outgoing, &paced).await };
        let mut writing = AbortOnDropHandle::new(tokio::spawn(writing));
        reader.set_bytes_max(FRAME_BYTES_MAX);
        let reading = async {
            while let Some((kind, body)) = reader.next(self.timings.silence_max).await? {
                match kind {
                    Kind::PING => {}
                    Kind::NEWS => match decode(&body) {
                        Ok(news) => self.heard(news, &member),
                        Err(error) => tracing::warn!(%error, "news of the cluster cannot be read and is dropped"),
                    },
                    Kind::RELAY => match Envelope::read(body) {
                        Some(Envelope { peer, kind, body }) => self.inbound.frame(peer, kind, body),
                        None => tracing::warn!("a frame that no client may get is dropped"),
                    },
                    other => tracing::debug!(kind = other.0, "an unknown frame is dropped"),
                }
            }
            Ok::<(), FrameError>(())
        };
        let why = tokio::select! {
            read = reading => read.err().map_or_else(|| "the node closed it".to_owned(), |error| error.to_string()),
            error = &mut writing => error.map_or_else(|panic| panic.to_string(), |error| error.to_string()),
            () = over.cancelled() => "the node is of no use at the moment".to_owned(),
        };
        outbox.seal();
        why
    }

    /// The client's node tells what happens in the cluster.
    fn heard(&self, news: News, through: &Member) {
        match news {
            News::All { members, linked } => {
                let here: BTreeSet<_> = members.iter().map(|member| member.key).collect();
                let gone: Vec<_> = self.state().members.keys().filter(|key| !here.contains(key)).copied().collect();
                gone.into_iter().for_each(|key| self.down(key));
                members.into_iter().for_each(|member| self.up(member));
                linked.into_iter().for_each(|key| self.linked(key));
                tracing::info!(node = %through, "connected to the cluster");
                *self.failure.lock() = None;
                self.through.send_replace(Some(through.clone()));
            }
            News::Up(member) => self.up(member),
            News::Down(key) => self.down(key),
            News::Linked(key) => self.linked(key),
            News::Unlinked(key) => self.unlinked(key),
        }
    }

    fn up(&self, member: Member) {
        if self.state().members.insert(member.key, member.clone()).is_none() {
            self.inbound.event(PeerEvent::MemberUp(member));
        }
    }

    fn down(&self, key: NodeKey) {
        let member = self.state().members.remove(&key);
        if let Some(member) = member {
            self.inbound.event(PeerEvent::MemberDown(member));
        }
    }

    fn linked(&self, key: NodeKey) {
        if self.state().linked.insert(key) {
            self.inbound.event(PeerEvent::LinkUp(key));
        }
    }

    fn unlinked(&self, key: NodeKey) {
        if self.state().linked.remove(&key) {
            self.inbound.event(PeerEvent::LinkDown(key));
        }
    }

    /// There is no connection: what was under way may be lost, wherever it was going.
    fn disconnected(&self) {
        let (outbox, linked) = {
            let mut state = self.state();
            (state.outbox.take(), std::mem::take(&mut state.linked))
        };
        outbox.iter().for_each(|outbox| outbox.seal());
        self.through.send_replace(None);
        linked.into_iter().for_each(|key| self.inbound.event(PeerEvent::LinkDown(key)));
    }

    fn failed(&self, why: String) {
        *self.failure.lock() = Some(why);
    }
}
