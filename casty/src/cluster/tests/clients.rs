//! Clients: their frames, the ways that these take, and what is told when a way is lost.

use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

use super::support::{Client, DEADLINE, FaultyNet, MemoryNet, Node, Seen, mesh, settings, tcp};
use crate::base::NodeKey;
use crate::cluster::edge::Envelope;
use crate::cluster::limits::CLIENT_BYTES_MAX;
use crate::cluster::transport::{Caller, Greeted};
use crate::cluster::trust::Trust;
use crate::cluster::{Cluster, Inbound, Kind, Lane, Member, Net, PeerEvent, Role, SendFailure, Settings};
use crate::wire::{Purpose, append};

async fn started(net: Arc<dyn Net>, seeds: &[&Node]) -> Client {
    let seeds: Vec<_> = seeds.iter().map(|node| node.addr()).collect();
    let mut client = Client::start(net, settings("client", &seeds));
    for seed in 0..seeds.len() {
        client.until("a member", |seen| matches!(seen, Seen::Event(PeerEvent::MemberUp(_))).then_some(seed)).await;
    }
    client
}

async fn linked(client: &mut Client, nodes: &[&Node]) {
    for node in nodes {
        client.told(PeerEvent::LinkUp(node.key())).await;
    }
}

fn send(client: &Client, to: NodeKey, kind: Kind, body: &'static [u8]) -> Result<(), SendFailure> {
    client.uplink.send(to, kind, |out| out.extend_from_slice(body))
}

fn answer(node: &Node, to: NodeKey, body: &'static [u8]) -> Result<(), SendFailure> {
    node.cluster.send(to, Lane::Bulk, Kind::ANSWER, |out| out.extend_from_slice(body))
}

fn frame(from: NodeKey, kind: Kind, body: &'static [u8]) -> impl FnMut(&Seen) -> Option<()> {
    move |seen| (*seen == Seen::Frame(from, kind, Bytes::from_static(body))).then_some(())
}

#[tokio::test(start_paused = true)]
async fn frames_of_a_client_get_to_every_node_and_back_and_both_are_linked() {
    let net: Arc<dyn Net> = Arc::new(MemoryNet::default());
    let mut nodes = mesh(net.clone(), &["a", "b"]).await;
    let mut client = started(net, &[&nodes[0]]).await;
    linked(&mut client, &[&nodes[0], &nodes[1]]).await;
    let me = client.key();
    for node in &mut nodes {
        assert!(!node.cluster.is_member(me), "a client is no member");
        send(&client, node.key(), Kind::CALL, b"hello").unwrap();
        node.told(PeerEvent::LinkUp(me)).await;
        node.until("hello", frame(me, Kind::CALL, b"hello")).await;
        assert!(node.cluster.is_client(me) && node.cluster.is_linked(me));
        answer(node, me, b"welcome").unwrap();
        let node = node.key();
        client.until("welcome", frame(node, Kind::ANSWER, b"welcome")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_nodes_say_passes_in_no_direction() {
    let net: Arc<dyn Net> = Arc::new(MemoryNet::default());
    let mut nodes = mesh(net.clone(), &["a", "b"]).await;
    let mut client = started(net, &[&nodes[0]]).await;
    linked(&mut client, &[&nodes[0], &nodes[1]]).await;
    let me = client.key();
    let of_nodes = [Kind::RAFT, Kind::NODE, Kind::ROUTE, Kind::MACHINE, Kind::GOSSIP, Kind::NEWS, Kind::RELAY];
    for node in &mut nodes {
        for kind in of_nodes {
            send(&client, node.key(), kind, b"?").unwrap();
        }
        send(&client, node.key(), Kind::CALL, b"the last").unwrap();
        node.until("the last", frame(me, Kind::CALL, b"the last")).await;
        let passed = node.so_far().iter().find(|seen| matches!(seen, Seen::Frame(from, ..) if *from == me)).cloned();
        assert_eq!(passed, None);
        for kind in of_nodes {
            let sent = node.cluster.send(me, Lane::Bulk, kind, |_| {});
            assert_eq!(sent, Err(SendFailure::NotConnected), "{kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_loses_its_node_is_linked_anew_by_way_of_another_and_nobody_takes_it_for_gone() {
    let memory: Arc<dyn Net> = Arc::new(MemoryNet::default());
    let mut nodes = mesh(memory.clone(), &["a", "b", "c"]).await;
    let faulty = FaultyNet::new(memory);
    let mut client = started(faulty.clone(), &[&nodes[0]]).await;
    linked(&mut client, &[&nodes[0], &nodes[1], &nodes[2]]).await;
    let (me, far) = (client.key(), nodes[2].key());
    send(&client, far, Kind::CALL, b"one").unwrap();
    nodes[2].told(PeerEvent::LinkUp(me)).await;
    faulty.block(&nodes[0].addr());
    client.told(PeerEvent::LinkDown(far)).await;
    client.told(PeerEvent::LinkUp(far)).await;
    assert_ne!(client.uplink.through().map(|node| node.key), Some(nodes[0].key()));
    send(&client, far, Kind::CALL, b"two").unwrap();
    nodes[2].told(PeerEvent::LinkDown(me)).await;
    nodes[2].told(PeerEvent::LinkUp(me)).await;
    nodes[2].until("two", frame(me, Kind::CALL, b"two")).await;
    answer(&nodes[2], me, b"yes").unwrap();
    client.until("an answer", frame(far, Kind::ANSWER, b"yes")).await;
    let gone = nodes[2]
        .within(Duration::from_secs(60), |seen| (*seen == Seen::Event(PeerEvent::ClientGone(me))).then_some(()));
    assert_eq!(gone.await, None);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_come_back_is_gone_for_all_who_knew_it() {
    let net: Arc<dyn Net> = Arc::new(MemoryNet::default());
    let mut nodes = mesh(net.clone(), &["a", "b"]).await;
    let mut client = started(net, &[&nodes[0]]).await;
    linked(&mut client, &[&nodes[0], &nodes[1]]).await;
    let me = client.key();
    for node in &mut nodes {
        send(&client, node.key(), Kind::CALL, b"hello").unwrap();
        node.told(PeerEvent::LinkUp(me)).await;
    }
    client.uplink.shutdown().await;
    for node in &mut nodes {
        node.told(PeerEvent::LinkDown(me)).await;
        assert!(node.cluster.is_client(me) && !node.cluster.is_linked(me), "it may come back");
    }
    let left = Instant::now();
    for node in &mut nodes {
        node.told(PeerEvent::ClientGone(me)).await;
        assert!(!node.cluster.is_client(me));
        assert!(left.elapsed() <= Duration::from_secs(10), "{:?}", left.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_lost_takes_the_ways_to_its_clients_with_it() {
    let net: Arc<dyn Net> = Arc::new(MemoryNet::default());
    let mut nodes = mesh(net.clone(), &["a", "b"]).await;
    let mut client = started(net, &[&nodes[0]]).await;
    linked(&mut client, &[&nodes[0], &nodes[1]]).await;
    let me = client.key();
    send(&client, nodes[1].key(), Kind::CALL, b"hello").unwrap();
    nodes[1].told(PeerEvent::LinkUp(me)).await;
    drop(nodes.remove(0));
    nodes[0].told(PeerEvent::LinkDown(me)).await;
    // Its seed is gone, and it has heard of the other.
    client.told(PeerEvent::LinkUp(nodes[0].key())).await;
    send(&client, nodes[0].key(), Kind::CALL, b"again").unwrap();
    nodes[0].until("again", frame(me, Kind::CALL, b"again")).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_let_go_and_holds_no_more_than_its_bound() {
    let memory: Arc<dyn Net> = Arc::new(MemoryNet::default());
    let mut nodes = mesh(memory.clone(), &["a", "b"]).await;
    let mut stuck = RawClient::connect(&memory, &nodes[0].addr(), 1).await;
    stuck.say(nodes[0].key(), &[]).await;
    let node = &mut nodes[0];
    node.told(PeerEvent::LinkUp(stuck.key)).await;
    let body = vec![7; 64 << 10];
    let mut queued = 0;
    let full = loop {
        match node.cluster.send(stuck.key, Lane::Bulk, Kind::ANSWER, |out| out.extend_from_slice(&body)) {
            Ok(()) => queued += body.len(),
            Err(failure) => break failure,
        }
    };
    assert!(matches!(full, SendFailure::Full { max: CLIENT_BYTES_MAX, .. }), "{full:?}");
    assert!(queued <= CLIENT_BYTES_MAX, "{queued}");
    let room = node.cluster.room(stuck.key);
    node.told(PeerEvent::LinkDown(stuck.key)).await;
    timeout(DEADLINE, room).await.expect("whoever waits for room is told that there is no link");
}

const FRAMES: u32 = 200;

fn numbered(n: u32) -> impl FnOnce(&mut Vec<u8>) {
    move |out| {
        out.extend(n.to_le_bytes());
        out.resize(out.len() + 20_000, 7);
    }
}

fn number(from: NodeKey, of: Kind) -> impl FnMut(&Seen) -> Option<u32> {
    move |seen| match seen {
        Seen::Frame(key, kind, body) if (*key, *kind) == (from, of) => {
            body.first_chunk().copied().map(u32::from_le_bytes)
        }
        _ => None,
    }
}

/// Sends without a break, until there is no connection.
fn flood(
    mut send: impl FnMut(&mut dyn FnMut(&mut Vec<u8>)) -> Result<(), SendFailure> + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while matches!(send(&mut |out| out.resize(out.len() + 10_000, 1)), Ok(()) | Err(SendFailure::Full { .. })) {}
    })
}

async fn alone() -> (Node, Client) {
    let mut node = Node::start(tcp(), settings("a", &[])).await;
    let mut client = started(tcp(), &[&node]).await;
    linked(&mut client, &[&node]).await;
    send(&client, node.key(), Kind::CALL, &[]).unwrap();
    node.told(PeerEvent::LinkUp(client.key())).await;
    node.until("a first frame", frame(client.key(), Kind::CALL, &[])).await;
    (node, client)
}

#[tokio::test]
async fn what_a_client_has_queued_when_it_ends_arrives_while_its_node_sends_to_it() {
    for _ in 0..5 {
        let (mut node, client) = alone().await;
        let (sending, me) = (node.cluster.clone(), client.key());
        let flood = flood(move |body| sending.send(me, Lane::Bulk, Kind::ANSWER, body));
        client.uplink.room().await;
        for n in 0..FRAMES {
            client.uplink.send(node.key(), Kind::CALL, numbered(n)).unwrap();
        }
        client.uplink.shutdown().await;
        for n in 0..FRAMES {
            assert_eq!(node.until("what the client sent", number(me, Kind::CALL)).await, n);
        }
        flood.join().unwrap();
    }
}

#[tokio::test]
async fn what_a_node_has_queued_when_it_leaves_arrives_while_its_client_sends_to_it() {
    for _ in 0..5 {
        let (node, mut client) = alone().await;
        let (sending, key) = (client.uplink.clone(), node.key());
        let flood = flood(move |body| sending.send(key, Kind::CALL, body));
        for n in 0..FRAMES {
            node.cluster.send(client.key(), Lane::Bulk, Kind::ANSWER, numbered(n)).unwrap();
        }
        node.cluster.shutdown().await;
        for n in 0..FRAMES {
            assert_eq!(client.until("what the node sent", number(key, Kind::ANSWER)).await, n);
        }
        flood.join().unwrap();
    }
}

/// A connection of a client, made by hand.
struct RawClient {
    key: NodeKey,
    connection: Greeted,
}

impl RawClient {
    async fn connect(net: &Arc<dyn Net>, addr: &str, nonce: u64) -> Self {
        let settings: Settings = settings("raw", &[]);
        let trust = Trust::new(&settings).unwrap();
        let me = Member::new("raw".into(), 1, "client:0", Role::Observer);
        let (net, handshake_max) = (&**net, DEADLINE);
        let caller = Caller { me: &me, cluster_name: &settings.cluster_name, trust: &trust, net, handshake_max };
        Self { key: me.key, connection: caller.connect(addr, Purpose::Client { nonce }).await.unwrap() }
    }

    /// Says what makes the connection count, and this to the node.
    async fn say(&mut self, to: NodeKey, bodies: &[u64]) {
        let mut frames = Vec::new();
        append(&mut frames, Kind::PING, 0, |_| {}).unwrap();
        for body in bodies {
            let write = |out: &mut Vec<u8>| {
                Envelope::write(to, Kind::CALL, out, |out| out.extend_from_slice(&body.to_le_bytes()));
            };
            append(&mut frames, Kind::RELAY, 1_000, write).unwrap();
        }
        // It fails when the node has ended the connection in favour of a newer one.
        let _ = self.connection.writer.write_all(&frames).await;
        let _ = self.connection.writer.flush().await;
    }
}

/// Answers every frame while it is told of it, and writes down what it is told.
#[derive(Default)]
struct Answering {
    cluster: OnceLock<Weak<Cluster>>,
    seen: Mutex<Vec<Seen>>,
}

impl Inbound for Answering {
    fn frame(&self, from: NodeKey, kind: Kind, body: Bytes) {
        self.seen.lock().push(Seen::Frame(from, kind, body));
        if let Some(cluster) = self.cluster.get().and_then(Weak::upgrade) {
            let _ = cluster.send(from, Lane::Bulk, Kind::ANSWER, |_| {});
        }
    }

    fn event(&self, event: PeerEvent) {
        self.seen.lock().push(Seen::Event(event));
    }
}

/// Connection after connection, each taking the place of one on which frames are still coming.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_told_of_one_client_is_told_in_order_however_fast_it_connects_anew() {
    const CONNECTIONS: u64 = 300;
    let answering = Arc::<Answering>::default();
    let cluster = Cluster::start(settings("a", &[]), tcp(), answering.clone()).await.unwrap();
    answering.cluster.set(Arc::downgrade(&cluster)).unwrap();
    let (addr, to, net) = (cluster.me().addr.clone(), cluster.me().key, tcp());
    let connecting = async {
        let mut key = NodeKey::default();
        let mut saying = tokio::task::JoinSet::new();
        for nonce in 1..=CONNECTIONS {
            let mut client = RawClient::connect(&net, &addr, nonce).await;
            key = client.key;
            saying.spawn(async move {
                client.say(to, &[nonce; 200]).await;
                client
            });
        }
        let last = saying.join_all().await;
        (key, last)
    };
    let (key, _connections) = timeout(DEADLINE, connecting).await.expect("nobody waits for himself");
    let is_last = |seen: &Seen| matches!(seen, Seen::Frame(_, _, body) if body[..] == CONNECTIONS.to_le_bytes());
    let all_came = async {
        while answering.seen.lock().iter().filter(|seen| is_last(seen)).count() < 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, all_came).await.expect("the newest connection counts");
    let (mut up, mut newest) = (false, 0);
    for seen in answering.seen.lock().iter() {
        match seen {
            Seen::Event(PeerEvent::LinkUp(of)) if *of == key => assert!(!std::mem::replace(&mut up, true)),
            Seen::Event(PeerEvent::LinkDown(of)) if *of == key => assert!(std::mem::take(&mut up)),
            Seen::Frame(_, _, body) => {
                let nonce = u64::from_le_bytes(body[..].try_into().unwrap());
                assert!(up && nonce >= newest, "a frame of connection {nonce} after one of {newest}");
                newest = nonce;
            }
            Seen::Event(_) => {}
        }
    }
}
