//! Bytes that name what is not there.

use casty::codec::encode;
use casty::prelude::*;
use casty_tests::cluster::Cluster;

use crate::support::{Echo, Note, Watcher, echo};

/// Handles one message that `Echo` does not, and has its name.
struct Liar;

#[message]
struct Lie(String);

#[actor]
impl Liar {
    #[handler]
    fn lie(&mut self, _: Lie) -> u64 {
        0
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_the_actor_does_not_handle_is_not_applied_and_told() {
    let cluster = Cluster::start(2).await;
    let (_near, far) = echo(&cluster).await;
    // The address of an `Echo` under the name of a `Liar`.
    let address = cluster.node(1).export(&far).unwrap();
    let (node, number, _, name): (u64, u64, String, Option<String>) = casty::codec::decode(&address).unwrap();
    let forged = encode(&(node, number, <Liar as Actor>::NAME, name)).unwrap();
    let liar = cluster.node(1).import::<Liar>(&forged).unwrap();
    let end = liar.lie(Lie("x".to_owned())).await;
    assert!(matches!(&end, Err(AskError::Unavailable { reason }) if reason.contains("handles no message")), "{end:?}");
    far.send(Note(1)).await.unwrap();
    assert_eq!(far.noted().await.unwrap(), [1], "the link and the actor are as they were");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_another_type_is_no_reference() {
    let cluster = Cluster::start(2).await;
    let (_near, far) = echo(&cluster).await;
    let address = cluster.node(1).export(&far).unwrap();
    assert!(cluster.node(0).import::<Watcher>(&address).is_err());
    let (node, number, _, name): (u64, u64, String, Option<String>) = casty::codec::decode(&address).unwrap();
    let forged = encode(&(node, number, <Watcher as Actor>::NAME, name)).unwrap();
    // At home it is known what the actor is.
    assert!(cluster.node(0).import::<Watcher>(&forged).is_err());
    assert!(cluster.node(0).import::<Echo>(&address[..address.len() - 1]).is_err());
}
