//! Actors, called by clients, and calling them.

use std::sync::{Arc, Mutex};

use casty::prelude::*;
use casty::{AskError, StopReason};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::TryStreamExt;
use tokio::time::timeout;

use crate::support::{Odd, Phone, Room, client, gateway};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_calls_actors_by_name_on_its_node_and_on_others() {
    let cluster = Cluster::start(3).await;
    let client = client(&cluster).await;
    let here = gateway(&cluster, &client).unwrap();
    let there = cluster.other_than(&[here]);
    for (node, name) in [(here, "near"), (there, "far")] {
        let _room = cluster.node(node).spawn(Room::default()).named(name).await.unwrap();
        let room: ActorRef<Room> = client.lookup(name).await.unwrap();
        for n in 1..=300 {
            assert_eq!(room.say(format!("{n}")).await, Ok(n), "in the order in which they were sent");
        }
        assert_eq!(room.half(4).await, Ok(2));
        assert_eq!(room.half(3).await, Err(AskError::Handler(Odd(3))));
        let said: Vec<String> =
            timeout(DEADLINE, async { room.said().await.unwrap().try_collect().await.unwrap() }).await.unwrap();
        assert_eq!(said, (1..=300).map(|n| n.to_string()).collect::<Vec<_>>());
        room.stop();
        timeout(DEADLINE, room.stopped()).await.unwrap();
        assert_eq!(room.half(4).await, Err(AskError::Stopped));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_calls_back_the_actor_of_a_client() {
    let cluster = Cluster::start(3).await;
    let client = client(&cluster).await;
    let here = gateway(&cluster, &client).unwrap();
    let phone = client.spawn(Phone::default()).await.unwrap();
    for (node, name) in [(here, "near"), (cluster.other_than(&[here]), "far")] {
        let _room = cluster.node(node).spawn(Room::default()).named(name).await.unwrap();
        let room: ActorRef<Room> = client.lookup(name).await.unwrap();
        assert_eq!(room.call(phone.clone(), name.to_owned()).await, Ok(true));
    }
    assert_eq!(phone.rung().await.unwrap(), ["near", "far"]);
}

/// Watches a client's actor.
struct Guard(Arc<Mutex<Vec<StopReason>>>);

#[actor(name = "clients.Guard")]
impl Guard {
    #[message]
    fn watch(&mut self, whom: ActorRef<Phone>, ctx: &mut Ctx<Self>) {
        ctx.watch(&whom).unwrap();
    }

    #[message]
    fn link(&mut self, whom: ActorRef<Phone>, ctx: &mut Ctx<Self>) {
        ctx.link(&whom).unwrap();
    }

    fn on_terminated(&mut self, terminated: Terminated) {
        self.0.lock().unwrap().push(terminated.reason);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_watch_the_actors_of_a_client_are_told_when_it_ends() {
    let cluster = Cluster::start(3).await;
    let (calm, gone) = (client(&cluster).await, client(&cluster).await);
    let told: Arc<Mutex<Vec<StopReason>>> = Arc::default();
    let node = cluster.other_than(&[gateway(&cluster, &calm).unwrap(), gateway(&cluster, &gone).unwrap()]);
    let _guard = cluster.node(node).spawn(Guard(told.clone())).named("guard").await.unwrap();
    for client in [&calm, &gone] {
        let phone = client.spawn(Phone::default()).await.unwrap();
        client.lookup::<Guard>("guard").await.unwrap().watch(phone.clone()).await.unwrap();
        std::mem::forget(phone);
    }
    calm.shutdown().await;
    eventually(DEADLINE, "the one that ended in order has said so", || told.lock().unwrap().len() == 1).await;
    assert_eq!(told.lock().unwrap().clone(), [StopReason::Stopped]);
    drop(gone);
    eventually(DEADLINE, "the other is missed", || told.lock().unwrap().len() == 2).await;
    assert_eq!(told.lock().unwrap().last(), Some(&StopReason::NodeLost));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_linked_with_the_actor_of_a_client_ends_with_it() {
    let cluster = Cluster::start(3).await;
    let client = client(&cluster).await;
    let node = cluster.other_than(&[gateway(&cluster, &client).unwrap()]);
    let linked = cluster.node(node).spawn(Guard(Arc::default())).named("linked").await.unwrap();
    let phone = client.spawn(Phone::default()).await.unwrap();
    client.lookup::<Guard>("linked").await.unwrap().link(phone).await.unwrap();
    drop(client);
    timeout(DEADLINE, linked.stopped()).await.unwrap();
}
