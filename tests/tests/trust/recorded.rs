//! Whoever has heard a real handshake says it again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use casty::ClusterConfig;
use casty_tests::cluster::{Cluster, DEADLINE, eventually, node, ready};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::pairs::config;
use crate::watch::{begin, counted};

const SECRET: &str = "what the bank knows";

/// What diallers said, one entry for each connection.
type Said = Arc<Mutex<Vec<Vec<u8>>>>;

/// Somebody on the network who hands everything on, and writes down what diallers say.
struct Eavesdropper {
    addr: SocketAddr,
    said: Said,
    _tasks: JoinSet<()>,
}

impl Eavesdropper {
    async fn before(node: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, said, mut tasks) = (listener.local_addr().unwrap(), Said::default(), JoinSet::new());
        let heard = said.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(hand_on(stream, node, heard.clone()));
            }
        });
        Self { addr, said, _tasks: tasks }
    }
}

async fn hand_on(dialler: TcpStream, node: SocketAddr, said: Said) {
    let Ok(acceptor) = TcpStream::connect(node).await else { return };
    let connection = {
        let mut said = said.lock().unwrap();
        said.push(Vec::new());
        said.len() - 1
    };
    let ((mut from, mut back), (mut answers, mut to)) = (dialler.into_split(), acceptor.into_split());
    let forth = async {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            said.lock().unwrap()[connection].extend_from_slice(&bytes[..count]);
            if to.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = forth => {}
        _ = copy(&mut answers, &mut back) => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_is_said_again_word_by_word_opens_no_link() {
    begin();
    let mut cluster = Cluster::empty().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let eavesdropper = Eavesdropper::before(free).await;
    // The others reach this node through the eavesdropper only.
    let first = ClusterConfig::new(free.to_string()).advertise(eavesdropper.addr.to_string()).cluster_name("recorded");
    let first = first.node_id("node-1").expected_size(2).seeds(["127.0.0.1:1"]).ask_timeout(DEADLINE).secret(SECRET);
    cluster.add(node(first).await);
    cluster.add(node(config("recorded", 2).seeds([eavesdropper.addr.to_string()]).secret(SECRET)).await);
    for (_, node) in cluster.live() {
        ready(node).await;
    }
    // The other node dies: its place is free, if it could be taken.
    cluster.crash(1);
    eventually(DEADLINE, "the other node is gone", || cluster.node(0).members().len() == 1).await;
    let said = std::mem::take(&mut *eavesdropper.said.lock().unwrap());
    assert!(said.len() > 1 && said.iter().all(|said| !String::from_utf8_lossy(said).contains(SECRET)));
    for said in said {
        let mut again = TcpStream::connect(free).await.unwrap();
        let _ = again.write_all(&said).await;
        let mut heard = Vec::new();
        let mut bytes = [0; 1024];
        while let Ok(Ok(count @ 1..)) = timeout(DEADLINE, again.read(&mut bytes)).await {
            heard.extend_from_slice(&bytes[..count]);
        }
        // The node's preface, and after it, if the node got to say it, that nothing was proven (a frame of kind 7).
        assert!(heard.get(62..).is_none_or(|word| word.is_empty() || word == [1, 0, 0, 0, 7]), "{heard:?}");
    }
    counted("recorded", "acceptor", "secret").await;
    assert_eq!(cluster.node(0).members().len(), 1);
}
