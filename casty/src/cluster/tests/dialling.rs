//! Who dials whom, and who is let in.

use tokio::net::TcpListener;
use tokio::time::timeout;

use super::forged::{Stranger, hear, lane, stranger_at};
use super::support::{DEADLINE, Node, settings, tcp};
use crate::cluster::limits::HANDSHAKES_MAX;
use crate::wire::{HandshakeError, Purpose};

/// Of two nodes, one dials. Were the other let in too, there would be two links, and no order of what one of them sends.
#[tokio::test]
async fn whoever_has_to_be_dialled_is_not_let_in_and_is_dialled_when_it_asks() {
    let node = Node::start(tcp(), settings("a", &[])).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (to, larger) = (node.key(), stranger_at(&addr, |key| key > node.key()));
    let refused = lane(&node.cluster, &larger, Purpose::Link { to, nonce: 1 }).await;
    assert!(matches!(refused, Err(HandshakeError::WrongDialler)));
    let dialled_back = async {
        let mut guest = hear(&listener).await.unwrap();
        guest.welcome(&larger).await.unwrap();
        guest.hello.purpose
    };
    let (asked, purpose) = tokio::join!(lane(&node.cluster, &larger, Purpose::Ask), dialled_back);
    assert_eq!((asked.unwrap().member.key, purpose), (to, Purpose::Check));
    let dialled = hear(&listener).await.unwrap().hello.purpose;
    assert!(matches!(dialled, Purpose::Link { to, .. } if to == larger.key), "{dialled:?}");
}

/// As many as the handshake has places have been let in and do not go on: others get through all the same.
#[tokio::test]
async fn peers_that_owe_their_bulk_lanes_keep_nobody_out() {
    let mut settings = settings("a", &[]);
    settings.timings.handshake_max = 10 * DEADLINE;
    let node = Node::start(tcp(), settings).await;
    let to = node.key();
    let mut links = Vec::new();
    for _ in 0..HANDSHAKES_MAX {
        let stranger = Stranger::for_node(&node).await;
        let control = stranger.lane(&node.cluster, Purpose::Link { to, nonce: 1 }).await.unwrap();
        links.push((stranger, control));
    }
    let (last, _control) = links.last().unwrap();
    timeout(DEADLINE, last.lane(&node.cluster, Purpose::Check)).await.expect("an answer").unwrap();
    last.lane(&node.cluster, Purpose::Bulk { to, nonce: 1 }).await.expect("it was still waited for");
}

/// A node whose address leads to nobody, or to somebody else, would be let in by some and dialled by none.
#[tokio::test]
async fn whoever_cannot_be_dialled_is_not_let_in_and_both_are_told_why() {
    let node = Node::start(tcp(), settings("a", &[])).await;
    let other = Node::start(tcp(), settings("other", &[])).await;
    let to = node.key();
    for (addr, says) in [("127.0.0.1:1".to_owned(), "refused"), (other.addr(), "other")] {
        let dials = (stranger_at(&addr, |key| key < to), Purpose::Link { to, nonce: 1 });
        let is_dialled = (stranger_at(&addr, |key| key > to), Purpose::Ask);
        for (nobody, purpose) in [dials, is_dialled] {
            let error = lane(&node.cluster, &nobody, purpose).await.err().unwrap();
            assert!(matches!(&error, HandshakeError::Unreachable { dialler, .. } if **dialler == nobody), "{error}");
            let said = error.to_string();
            assert!(said.contains(&addr) && said.contains(says) && said.contains("`advertise`"), "{said}");
            assert!(!node.cluster.is_linked(nobody.key));
        }
    }
}
