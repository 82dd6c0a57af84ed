//! What works with the reference to an actor of another node.

use casty::actor::Registered;
use casty::codec::{DecodeError, decode, encode};
use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};

use crate::support::{Echo, Note, Odd, carried, echo};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asks_and_sends_reach_an_actor_of_another_node() {
    let cluster = Cluster::start(2).await;
    let (_near, far) = echo(&cluster).await;
    assert_eq!(far.say("hello".to_owned()).await.unwrap(), "hello");
    assert_eq!(far.half(4).await, Ok(2));
    assert_eq!(far.half(5).await, Err(AskError::Handler(Odd(5))));
    far.send(Note(1)).await.unwrap();
    far.try_send(Note(2)).unwrap();
    assert_eq!(far.noted().await.unwrap(), [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_travels_in_messages_and_comes_home_as_local() {
    let cluster = Cluster::start(2).await;
    let (_there, far) = echo(&cluster).await;
    let here = cluster.node(1).spawn(Echo::default()).await.unwrap();
    let (back, itself) = far.pass(here.clone()).await.unwrap();
    assert_eq!(back.id(), here.id(), "it is the same mailbox again");
    assert_eq!(itself.id(), far.id(), "two references to one actor of another node are the same");
    assert_ne!(itself.id(), here.id());
    back.send(Note(3)).await.unwrap();
    assert_eq!(here.noted().await.unwrap(), [3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_travels_in_messages_and_comes_home() {
    let cluster = Cluster::start(2).await;
    let (there, far) = echo(&cluster).await;
    let here = cluster.node(1).spawn(Echo::default()).await.unwrap();
    assert_eq!(far.tell(here.recipient(), 5).await, Ok(true));
    assert_eq!(here.noted().await.unwrap(), [5]);
    // One of its own, which went to the other node and back.
    assert_eq!(far.tell(far.recipient(), 6).await, Ok(true));
    assert_eq!(there.noted().await.unwrap(), [6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_on_another_node_knows_its_sender() {
    let cluster = Cluster::start(2).await;
    let (_there, far) = echo(&cluster).await;
    let here = cluster.node(1).spawn(Echo::default()).await.unwrap();
    assert_eq!(far.who().await, Ok(false));
    assert_eq!(far.who().from(&here).await, Ok(true));
    eventually(DEADLINE, "the sender was told", || cluster.node(1).dead_letters().total() == 0).await;
    assert_eq!(here.noted().await.unwrap(), [7]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_node_can_use_what_it_was_given() {
    let cluster = Cluster::start(3).await;
    let first = cluster.node(0).spawn(Echo::default()).named("first").await.unwrap();
    let second = carried(&cluster, 0, 1, &first);
    let third = carried(&cluster, 1, 2, &second);
    assert_eq!(third.half(8).await, Ok(4));
    assert_eq!(third.name(), Some("first"));
    assert!(third.id().to_string().contains("`first` of node"), "{}", third.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_others_know_does_not_stop_for_want_of_references() {
    let cluster = Cluster::start(2).await;
    let (near, far) = echo(&cluster).await;
    drop(near);
    assert_eq!(far.half(2).await, Ok(1));
    drop(far.clone());
    assert_eq!(far.half(4).await, Ok(2));
}

#[tokio::test]
async fn outside_of_a_node_no_reference_leaves_or_comes() {
    let system = ActorSystem::new("alone");
    let echo = system.spawn(Echo::default()).await.unwrap();
    let error = encode(&echo).unwrap_err().to_string();
    assert!(error.contains("`alone` is no node of a cluster"), "{error}");
    let address = encode(&(7_u64, 8_u64, Echo::NAME, None::<String>)).unwrap();
    let error = decode::<ActorRef<Echo>>(&address).map(drop).unwrap_err();
    assert!(matches!(&error, DecodeError::Malformed { why, .. } if why.contains("on behalf of a node")), "{error}");
    assert!(Echo::encode(<Echo as Handles<Note>>::wrap(Note(1), casty::actor::Port::none())).is_ok());
}
