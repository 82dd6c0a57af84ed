//! A scan of a node's port, with TLS: a connection that says nothing, HTTP, noise, and TLS without a certificate.

use casty_tests::bank::{Account, Deposit};
use casty_tests::cluster::{Cluster, DEADLINE, node, ready};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::certificates::Authority;
use crate::pairs::config;
use crate::watch::{begin, counted, warned};

/// The beginnings of what is no casty: the last is a plaintext preface of casty's.
fn openings() -> Vec<Vec<u8>> {
    let noise = |seed: u32| (0..2_000u32).map(|at| (at.wrapping_mul(seed) >> 7) as u8).collect();
    let mut openings: Vec<Vec<u8>> =
        vec![Vec::new(), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()];
    openings.extend((1..40).map(|seed| noise(2_654_435_761u32.wrapping_mul(seed))));
    openings.push(casty::testkit::stranger::Stranger::preface());
    openings
}

/// Whatever it says, the node says nothing of casty to it, and closes the connection.
async fn scan(address: &str, opening: &[u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(opening).await;
    if opening.is_empty() {
        stream.shutdown().await.unwrap();
    }
    let mut heard = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut heard)).await.expect("the connection is closed");
    assert!(!heard.windows(4).any(|four| four == b"csty"), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_of_the_port_gets_nothing_and_is_counted_while_clients_are_served() {
    begin();
    let (ca, mut cluster) = (Authority::new(), Cluster::empty().await);
    cluster.add(node(config("scan", 1).tls(ca.node("a"))).await);
    let seed = cluster.node(0).address();
    cluster.add(node(config("scan", 2).tls(ca.node("b")).seeds([seed.clone()])).await);
    for (_, node) in cluster.live() {
        ready(node).await;
    }
    let accounts = cluster.sharded::<Account>("account").await;
    for (round, opening) in openings().into_iter().enumerate() {
        let account = accounts[1].entity(format!("user-{}", round % 8));
        let (deposit, ()) = tokio::join!(account.deposit(Deposit { amount: 1 }).into_future(), scan(&seed, &opening));
        assert_eq!(deposit, Ok(round as u64 / 8 + 1));
    }
    counted("scan", "acceptor", "tls").await;
    warned("this node speaks TLS, and the other side does not").await;
    assert!(cluster.live().all(|(_, node)| node.members().len() == 2));
}
