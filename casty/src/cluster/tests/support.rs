//! A node that records what it is told, and networks that can be broken.

use std::collections::HashSet;
use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, duplex};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::base::{NodeKey, StableMap};
use crate::cluster::transport::{Greeted, greet};
use crate::cluster::trust::{Guarded, Trust};
use crate::cluster::{
    Cluster, Inbound, Kind, Listener, Member, Net, PeerEvent, Secret, Settings, Stream, TcpNet, Tls, Uplink,
};
use crate::wire::{HandshakeError, Hello, Versions};

pub(super) const DEADLINE: Duration = Duration::from_secs(15);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    Frame(NodeKey, Kind, Bytes),
    Event(PeerEvent),
}

/// The body of a frame that came.
pub(super) fn frame(from: NodeKey, of: Kind) -> impl FnMut(&Seen) -> Option<Bytes> {
    move |seen| match seen {
        Seen::Frame(key, kind, body) if (*key, *kind) == (from, of) => Some(body.clone()),
        _ => None,
    }
}

pub(super) struct Recorder(mpsc::UnboundedSender<Seen>);

impl Inbound for Recorder {
    fn frame(&self, from: NodeKey, kind: Kind, body: Bytes) {
        let _ = self.0.send(Seen::Frame(from, kind, body));
    }

    fn event(&self, event: PeerEvent) {
        let _ = self.0.send(Seen::Event(event));
    }
}

pub(super) struct Node {
    pub(super) cluster: Arc<Cluster>,
    pub(super) ears: Ears,
}

pub(super) struct Client {
    pub(super) uplink: Arc<Uplink>,
    ears: Ears,
}

/// What a recorder was told, in order.
pub(super) struct Ears {
    told: mpsc::UnboundedReceiver<Seen>,
    unread: Vec<Seen>,
}

impl Node {
    pub(super) async fn start(net: Arc<dyn Net>, settings: Settings) -> Self {
        Self::start_behind(net, settings, |recorder| recorder).await
    }

    /// Starts a node that tells its recorder by way of something else.
    pub(super) async fn start_behind<I: Inbound>(
        net: Arc<dyn Net>,
        settings: Settings,
        inbound: impl FnOnce(Arc<Recorder>) -> Arc<I>,
    ) -> Self {
        let (recorder, ears) = Ears::new();
        let cluster = Cluster::start(settings, net, inbound(recorder)).await.unwrap();
        Self { cluster, ears }
    }

    pub(super) fn key(&self) -> NodeKey {
        self.cluster.me().key
    }

    pub(super) fn addr(&self) -> String {
        self.cluster.me().addr.clone()
    }
}

impl Client {
    pub(super) fn start(net: Arc<dyn Net>, settings: Settings) -> Self {
        let (recorder, ears) = Ears::new();
        Self { uplink: Uplink::start(settings, net, recorder).unwrap(), ears }
    }

    pub(super) fn key(&self) -> NodeKey {
        self.uplink.me().key
    }
}

impl Deref for Node {
    type Target = Ears;

    fn deref(&self) -> &Ears {
        &self.ears
    }
}

impl DerefMut for Node {
    fn deref_mut(&mut self) -> &mut Ears {
        &mut self.ears
    }
}

impl Deref for Client {
    type Target = Ears;

    fn deref(&self) -> &Ears {
        &self.ears
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Ears {
        &mut self.ears
    }
}

impl Ears {
    fn new() -> (Arc<Recorder>, Self) {
        let (tell, told) = mpsc::unbounded_channel();
        (Arc::new(Recorder(tell)), Self { told, unread: Vec::new() })
    }

    /// Everything that was told so far and not asked for.
    pub(super) fn so_far(&mut self) -> &[Seen] {
        while let Ok(seen) = self.told.try_recv() {
            self.unread.push(seen);
        }
        &self.unread
    }

    /// The first thing that was told and not asked for yet, of those that fit.
    pub(super) async fn until<T>(&mut self, what: &str, fits: impl FnMut(&Seen) -> Option<T>) -> T {
        self.within(DEADLINE, fits).await.unwrap_or_else(|| panic!("{what}: not told, but {:?}", self.unread))
    }

    pub(super) async fn within<T>(&mut self, max: Duration, mut fits: impl FnMut(&Seen) -> Option<T>) -> Option<T> {
        if let Some((at, found)) = self.unread.iter().enumerate().find_map(|(at, seen)| Some((at, fits(seen)?))) {
            self.unread.remove(at);
            return Some(found);
        }
        let more = async {
            loop {
                let seen = self.told.recv().await?;
                match fits(&seen) {
                    Some(found) => return Some(found),
                    None => self.unread.push(seen),
                }
            }
        };
        timeout(max, more).await.ok().flatten()
    }

    pub(super) async fn told(&mut self, event: PeerEvent) {
        let what = format!("{event:?}");
        let event = Seen::Event(event);
        self.until(&what, |seen| (*seen == event).then_some(())).await;
    }

    pub(super) async fn up(&mut self, other: NodeKey) -> Member {
        self.until("member up", |seen| match seen {
            Seen::Event(PeerEvent::MemberUp(member)) if member.key == other => Some(member.clone()),
            _ => None,
        })
        .await
    }

    pub(super) async fn down(&mut self, other: NodeKey) -> Member {
        self.until("member down", |seen| match seen {
            Seen::Event(PeerEvent::MemberDown(member)) if member.key == other => Some(member.clone()),
            _ => None,
        })
        .await
    }
}

pub(super) fn settings(node: &str, seeds: &[String]) -> Settings {
    let mut settings = Settings::new("bank", "127.0.0.1:0");
    settings.tls = Some(Tls::insecure());
    settings.node_id = Some(node.into());
    settings.seeds = seeds.to_vec();
    settings.seed = node.bytes().map(u64::from).sum();
    settings
}

/// What somebody brings to a handshake who is no node: the secret, if it knows one.
pub(super) fn trust(secret: Option<&str>, versions: Versions) -> Trust {
    let mut settings = settings("stranger", &[]);
    (settings.secret, settings.versions) = (secret.map(Secret::new), versions);
    Trust::new(&settings).unwrap()
}

/// Connects to a node as somebody who is none, and says hello.
pub(super) async fn say_hello(addr: &str, trust: &Trust, hello: &Hello) -> Result<Greeted, HandshakeError> {
    greet(Guarded::plain(tcp().connect(addr).await?), trust, hello).await
}

/// Starts nodes of which the first is the seed of the others, and waits until each has links with all.
pub(super) async fn mesh(net: Arc<dyn Net>, names: &[&str]) -> Vec<Node> {
    let mut nodes = vec![Node::start(net.clone(), settings(names[0], &[])).await];
    let seeds = [nodes[0].addr()];
    for name in &names[1..] {
        nodes.push(Node::start(net.clone(), settings(name, &seeds)).await);
    }
    full_mesh(&mut nodes).await;
    nodes
}

pub(super) async fn full_mesh(nodes: &mut [Node]) {
    let keys: Vec<NodeKey> = nodes.iter().map(Node::key).collect();
    for node in nodes {
        let me = node.key();
        for other in keys.iter().copied().filter(|other| *other != me) {
            node.up(other).await;
            node.told(PeerEvent::LinkUp(other)).await;
        }
        let mut all = keys.clone();
        let mut seen: Vec<NodeKey> = node.cluster.members().iter().map(|member| member.key).collect();
        all.sort();
        seen.sort();
        assert_eq!(seen, all);
    }
}

pub(super) fn tcp() -> Arc<dyn Net> {
    Arc::new(TcpNet)
}

/// A network in memory: addresses differ in their ports.
#[derive(Default)]
pub(super) struct MemoryNet {
    listening: Mutex<StableMap<u16, mpsc::Sender<Box<dyn Stream>>>>,
}

struct MemoryListener(u16, mpsc::Receiver<Box<dyn Stream>>);

fn port(addr: &str) -> u16 {
    addr.rsplit_once(':').unwrap().1.parse().unwrap()
}

impl Net for MemoryNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        let mut listening = self.listening.lock();
        let port = Some(port(addr)).filter(|port| *port != 0).unwrap_or(1 + listening.len() as u16);
        let (connect, accept) = mpsc::channel(16);
        listening.insert(port, connect);
        async move { Ok(Box::new(MemoryListener(port, accept)) as Box<dyn Listener>) }.boxed()
    }

    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let listening = self.listening.lock().get(&port(addr)).cloned();
        async move {
            let (near, far) = duplex(64 << 10);
            let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
            listening.ok_or_else(refused)?.send(Box::new(far)).await.map_err(|_| refused())?;
            Ok(Box::new(near) as Box<dyn Stream>)
        }
        .boxed()
    }
}

impl Listener for MemoryListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, String)>> {
        async move {
            let stream = self.1.recv().await.ok_or(io::ErrorKind::NotConnected)?;
            Ok((stream, "memory:0".to_owned()))
        }
        .boxed()
    }

    fn port(&self) -> io::Result<u16> {
        Ok(self.0)
    }
}

/// Another network, which can be broken.
pub(super) struct FaultyNet {
    inner: Arc<dyn Net>,
    blocked: Mutex<HashSet<String>>,
    dialled: Mutex<Vec<(String, CancellationToken, Arc<AtomicBool>)>>,
}

impl FaultyNet {
    pub(super) fn new(inner: Arc<dyn Net>) -> Arc<Self> {
        Arc::new(Self { inner, blocked: Mutex::default(), dialled: Mutex::default() })
    }

    /// Breaks every connection that was dialled to the address.
    pub(super) fn cut(&self, addr: &str) {
        for (to, cut, _) in self.dialled.lock().iter() {
            if to == addr {
                cut.cancel();
            }
        }
    }

    /// Lets the connections that were dialled to the address take all bytes and carry none.
    pub(super) fn swallow(&self, addr: &str) {
        for (to, _, lost) in self.dialled.lock().iter() {
            lost.fetch_or(to == addr, Ordering::Relaxed);
        }
        self.blocked.lock().insert(addr.to_owned());
    }

    /// Breaks every connection that was dialled to the address and lets no other be made.
    pub(super) fn block(&self, addr: &str) {
        self.blocked.lock().insert(addr.to_owned());
        self.cut(addr);
    }

    pub(super) fn unblock(&self, addr: &str) {
        self.blocked.lock().remove(addr);
    }
}

impl Net for FaultyNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        self.inner.bind(addr)
    }

    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        async move {
            if self.blocked.lock().contains(addr) {
                return Err(io::ErrorKind::HostUnreachable.into());
            }
            let (io, cut) = (self.inner.connect(addr).await?, CancellationToken::new());
            let lost = Arc::<AtomicBool>::default();
            self.dialled.lock().push((addr.to_owned(), cut.clone(), lost.clone()));
            Ok(Box::new(Breakable { io, cut: Box::pin(cut.cancelled_owned()), lost }) as Box<dyn Stream>)
        }
        .boxed()
    }
}

struct Breakable {
    io: Box<dyn Stream>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    lost: Arc<AtomicBool>,
}

impl Breakable {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Stream for Breakable {}

impl AsyncRead for Breakable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        if self.lost.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
