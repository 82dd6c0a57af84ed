//! Who is not let in, what both sides are told, and what it does to those who are.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use tokio::time::timeout;

use super::support::{DEADLINE, MemoryNet, Node, Seen, full_mesh, say_hello, settings, tcp, trust};
use crate::cluster::transport::{greet, receive};
use crate::cluster::trust::Guarded;
use crate::cluster::{Kind, Lane, Member, PeerEvent, Role, Secret};
use crate::codec::encode;
use crate::wire::{HandshakeError, Hello, PREFACE_FRAME_BYTES, Preface, Purpose, Reason, Versions};

const SECRET: &str = "what the bank knows";

fn hello(member: &Member, purpose: Purpose) -> Hello {
    Hello { cluster_name: "bank".into(), member: member.clone(), purpose }
}

fn stranger() -> Member {
    Member::new("stranger".into(), 1, "127.0.0.1:1", Role::Replica)
}

/// What both ends of one handshake say of it.
async fn both_ends(
    dialler: (Option<&str>, Versions),
    acceptor: (Option<&str>, Versions),
) -> (Result<(), HandshakeError>, Result<(), HandshakeError>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (ours, theirs) = (trust(dialler.0, dialler.1), trust(acceptor.0, acceptor.1));
    let hello = hello(&stranger(), Purpose::Ask);
    let accepting = async {
        let (stream, _) = listener.accept().await.unwrap();
        receive(Guarded::plain(Box::new(stream)), &theirs).await?.welcome(&stranger()).await?;
        Ok(())
    };
    let dialling = async { say_hello(&addr, &ours, &hello).await.map(drop) };
    timeout(DEADLINE, async { tokio::join!(dialling, accepting) }).await.unwrap()
}

fn versions(newest: u16, oldest: u16) -> Versions {
    Versions { newest, oldest }
}

#[tokio::test]
async fn a_release_and_the_next_understand_each_other_and_later_ones_tell_why_not() {
    for (dialler, acceptor) in [((1, 1), (2, 1)), ((2, 1), (1, 1)), ((2, 1), (3, 2))] {
        let ends = both_ends((None, versions(dialler.0, dialler.1)), (None, versions(acceptor.0, acceptor.1))).await;
        assert!(ends.0.is_ok() && ends.1.is_ok(), "{dialler:?} and {acceptor:?}: {ends:?}");
    }
    let (dialler, acceptor) = both_ends((None, versions(1, 1)), (None, versions(3, 2))).await;
    let (dialler, acceptor) = (dialler.unwrap_err().to_string(), acceptor.unwrap_err().to_string());
    assert!(dialler.contains("speaks version 1 of the protocol, the other 2 to 3"), "{dialler}");
    assert!(acceptor.contains("speaks version 2 to 3 of the protocol, the other 1"), "{acceptor}");
}

/// What a node of version 1 said, byte by byte, to one of version 2. It must be understood for as long as 1 is spoken.
#[tokio::test]
async fn the_handshake_of_version_1_as_it_was_recorded_is_still_understood() {
    let mut node = settings("a", &[]);
    node.versions = versions(2, 1);
    let node = Node::start(tcp(), node).await;
    let mut stream = tokio::net::TcpStream::connect(node.addr()).await.unwrap();
    let mut said = vec![58, 0, 0, 0, 1, b'c', b's', b't', b'y', 1, 0, 1, 0, 1];
    said.extend([0; 16]);
    said.extend([7; 32]);
    stream.write_all(&said).await.unwrap();
    let mut theirs = [0; PREFACE_FRAME_BYTES];
    stream.read_exact(&mut theirs).await.unwrap();
    assert_eq!(theirs[..14], [58, 0, 0, 0, 1, b'c', b's', b't', b'y', 2, 0, 1, 0, 1]);
    // The cluster `bank`; the member `old`, life 9, no bump, at `127.0.0.1:1`, a replica without roles and metadata; asks who
    // is here.
    let hello = [&[4][..], b"bank", &[3], b"old", &[9, 0, 11], b"127.0.0.1:1", &[0, 0, 0, 0]].concat();
    let text = [&b"casty handshake\x01"[..], &156u64.to_le_bytes(), &[0; 32], &said, &theirs, &[6], &hello].concat();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"");
    let proof = ring::hmac::sign(&key, &text);
    let body = [proof.as_ref(), &hello].concat();
    stream.write_all(&[&(body.len() as u32 + 1).to_le_bytes()[..], &[6], &body].concat()).await.unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[4], Kind::WELCOME.0, "{head:?}");
}

#[tokio::test]
async fn whoever_does_not_know_the_secret_is_refused_and_both_sides_say_so() {
    let current = Versions::CURRENT;
    let (dialler, acceptor) = both_ends((Some("what the shop knows"), current), (Some(SECRET), current)).await;
    for error in [dialler.unwrap_err(), acceptor.unwrap_err()] {
        assert!(matches!(&error, HandshakeError::Unproven), "{error}");
        assert!(error.to_string().contains("do not know the same secret") && !error.to_string().contains("knows"));
    }
    for (ours, theirs) in [(None, Some(SECRET)), (Some(SECRET), None)] {
        let (dialler, acceptor) = both_ends((ours, current), (theirs, current)).await;
        for error in [dialler.unwrap_err().to_string(), acceptor.unwrap_err().to_string()] {
            assert!(error.contains("needs a shared secret of its peers") && error.contains("offers lz4;"), "{error}");
        }
    }
    let ends = both_ends((Some(SECRET), current), (Some(SECRET), current)).await;
    assert!(ends.0.is_ok() && ends.1.is_ok(), "{ends:?}");
}

#[tokio::test]
async fn a_wrong_cluster_name_is_refused_with_both_names() {
    let node = Node::start(tcp(), settings("a", &[])).await;
    let hello = Hello { cluster_name: "shop".into(), member: stranger(), purpose: Purpose::Ask };
    let error = say_hello(&node.addr(), &trust(None, Versions::CURRENT), &hello).await.err().unwrap();
    assert!(matches!(&error, HandshakeError::ClusterName { ours, theirs } if ours == "shop" && theirs == "bank"));
}

#[tokio::test]
async fn a_handshake_of_noise_is_an_error() {
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[255; 64], &[58, 0, 0, 0, 1, 9, 9], &[22, 3, 1]] {
        let (mut near, far) = duplex(1024);
        near.write_all(noise).await.unwrap();
        near.shutdown().await.unwrap();
        let heard = receive(Guarded::plain(Box::new(far)), &trust(None, Versions::CURRENT)).await;
        assert!(heard.is_err(), "{noise:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_that_share_a_secret_find_each_other_and_others_stay_out() {
    let net = Arc::new(MemoryNet::default());
    let with = |name: &str, seeds: &[String], secret: &str| {
        let mut settings = settings(name, seeds);
        settings.secret = Some(Secret::new(secret));
        settings
    };
    let first = Node::start(net.clone(), with("a", &[], SECRET)).await;
    let seeds = [first.addr()];
    let second = Node::start(net.clone(), with("b", &seeds, SECRET)).await;
    let mut nodes = [first, second];
    full_mesh(&mut nodes).await;
    let mut shop = Node::start(net.clone(), with("shop", &seeds, "what the shop knows")).await;
    let mut open = Node::start(net, settings("open", &seeds)).await;
    for node in [&mut shop, &mut open] {
        assert_eq!(node.within(Duration::from_secs(30), |seen| Some(seen.clone())).await, None);
    }
    assert!(nodes.iter().all(|node| node.cluster.members().len() == 2));
}

/// A stranger that claims to be a member has neither its links nor its name.
#[tokio::test]
async fn whoever_proves_nothing_neither_evicts_a_member_nor_takes_its_place() {
    let with = |name: &str, seeds: &[String]| {
        let mut settings = settings(name, seeds);
        settings.secret = Some(Secret::new(SECRET));
        settings
    };
    let first = Node::start(tcp(), with("a", &[])).await;
    let second = Node::start(tcp(), with("b", &[first.addr()])).await;
    let mut nodes = [first, second];
    full_mesh(&mut nodes).await;
    let (a, b) = (nodes[0].key(), nodes[1].key());
    let member = nodes[1].cluster.me().clone();
    let later = Member::new(member.id.clone(), member.incarnation + 1, "127.0.0.1:1", Role::Replica);
    let itself = Member::new("a".into(), u64::MAX, "127.0.0.1:1", Role::Replica);
    let guess = trust(Some("what nobody knows at all"), Versions::CURRENT);
    for claim in [&member, &later, &itself] {
        for purpose in [Purpose::Ask, Purpose::Link { to: a, nonce: u64::MAX }] {
            let refused = say_hello(&nodes[0].addr(), &guess, &hello(claim, purpose)).await;
            assert!(matches!(refused, Err(HandshakeError::Unproven)), "{claim:?}");
        }
    }
    // The links stand: what is sent arrives, and nothing else was told before.
    nodes[1].cluster.send(a, Lane::Bulk, Kind::ENTITY, |out| out.push(7)).unwrap();
    let first = nodes[0].until("anything", |seen| Some(seen.clone())).await;
    assert!(matches!(first, Seen::Frame(from, Kind::ENTITY, _) if from == b), "{first:?}");
    assert_eq!(nodes[0].cluster.members().len(), 2);
}

/// Answers a dialler without knowing the secret: what it said itself is said back to it, down to the nonce and the proof, with
/// another word.
async fn answer_without_proof(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), kind: Kind, word: &[u8]) {
    let mut theirs = [0; PREFACE_FRAME_BYTES];
    stream.read_exact(&mut theirs).await.unwrap();
    stream.write_all(&Preface::decode(&theirs).unwrap().encode()).await.unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    let mut body = vec![0; u32::from_le_bytes(head[..4].try_into().unwrap()) as usize - 1];
    stream.read_exact(&mut body).await.unwrap();
    body.truncate(32);
    body.extend(word);
    let length = (body.len() as u32 + 1).to_le_bytes();
    stream.write_all(&[&length[..], &[kind.0], &body].concat()).await.unwrap();
}

/// A stranger that answers where a node dials is no member, and what it says is not decoded.
#[tokio::test]
async fn an_answer_that_proves_nothing_is_not_believed() {
    for (kind, word) in [
        (Kind::WELCOME, encode(&stranger()).unwrap()),
        (Kind::REFUSAL, encode(&Reason::Leaving).unwrap()),
        (Kind::WELCOME, b"no word of any kind".to_vec()),
    ] {
        let (near, mut far) = duplex(4 << 10);
        let (ours, hello) = (trust(Some(SECRET), Versions::CURRENT), hello(&stranger(), Purpose::Ask));
        let (greeted, ()) = tokio::join!(
            greet(Guarded::plain(Box::new(near)), &ours, &hello),
            answer_without_proof(&mut far, kind, &word)
        );
        let error = greeted.err().expect("a stranger was believed");
        assert!(matches!(error, HandshakeError::Unproven), "{kind:?}: {error}");
    }
}

/// A stranger that answers where a node dials cannot make it believe that it was replaced.
#[tokio::test]
async fn a_refusal_that_proves_nothing_is_not_believed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut node = settings("a", &[listener.local_addr().unwrap().to_string()]);
    node.secret = Some(Secret::new(SECRET));
    let mut node = Node::start(tcp(), node).await;
    let me = node.cluster.me().clone();
    let dialled = || async { timeout(DEADLINE, listener.accept()).await.expect("it dials again").unwrap() };
    for _ in 0..3 {
        let (mut stream, _) = dialled().await;
        let newest = Member::new(me.id.clone(), u64::MAX, "127.0.0.1:1", Role::Replica);
        let reason = Reason::Superseded { yours: Box::new(me.clone()), newest: Box::new(newest) };
        answer_without_proof(&mut stream, Kind::REFUSAL, &encode(&reason).unwrap()).await;
    }
    let (_stream, _) = dialled().await;
    let superseded = |seen: &Seen| matches!(seen, Seen::Event(PeerEvent::Superseded(_))).then_some(());
    assert_eq!(node.within(Duration::from_millis(1), superseded).await, None);
}
