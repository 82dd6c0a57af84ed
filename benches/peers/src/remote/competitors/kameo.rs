//! Kameo's remote actors: two swarms of libp2p over TCP, encrypted by noise, with yamux; the actor is found by its name in a
//! distributed hash table.

use std::time::Duration;

use kameo::actor::{RemoteActorRef, Spawn};
use kameo::message::{Context, Message};
use kameo::remote::{self, messaging};
use kameo::{Actor, RemoteActor, Reply, remote_message};
use libp2p::futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, noise, tcp, yamux};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::Competitor;
use crate::meter::Sample;
use crate::remote::asks::{Echo, asks};
use crate::remote::processes::Answering;

const NAME: &str = "parrot";

/// More than there are asks at a time: each is a stream, and by default a hundred are allowed.
const STREAMS_MAX: usize = 1024;

#[derive(Serialize, Deserialize)]
struct Say(#[serde(with = "serde_bytes")] Vec<u8>);

#[derive(Serialize, Deserialize, Reply)]
struct Said(#[serde(with = "serde_bytes")] Vec<u8>);

#[derive(Actor, RemoteActor)]
pub(super) struct Parrot;

#[remote_message]
impl Message<Say> for Parrot {
    type Reply = Said;

    async fn handle(&mut self, Say(payload): Say, _: &mut Context<Self, Said>) -> Said {
        Said(payload)
    }
}

pub(super) struct KameoRemote;

impl Competitor for KameoRemote {
    const NAME: &'static str = "kameo-remote";

    async fn answer(ready: impl FnOnce(String) + Send) {
        let (mut swarm, parrot, mut ready) = (swarm(), Parrot::spawn(Parrot), Some(ready));
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => {
                    if let Some(ready) = ready.take() {
                        ready(format!("{address} {}", swarm.local_peer_id()));
                    }
                }
                SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                    swarm.add_peer_address(peer_id, endpoint.get_remote_address().clone());
                    let parrot = parrot.clone();
                    // The swarm that does it is driven by this very loop.
                    tokio::spawn(async move { parrot.register(NAME).await.expect("the name is free") });
                }
                _ => {}
            }
        }
    }

    async fn time(answering: Answering, callers: u64, number: u64) -> Sample {
        let (address, peer) = answering.way.split_once(' ').expect("an address and who is there");
        let (address, peer): (Multiaddr, PeerId) =
            (address.parse().expect("an address"), peer.parse().expect("a name"));
        let mut swarm = swarm();
        swarm.add_peer_address(peer, address.clone());
        swarm.dial(address).expect("the other process listens");
        tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        let parrot = loop {
            match RemoteActorRef::lookup(NAME).await {
                Ok(Some(parrot)) => break parrot,
                _ => sleep(Duration::from_millis(20)).await,
            }
        };
        asks(Far(parrot), &answering, callers, number).await
    }
}

#[derive(Clone)]
struct Far(RemoteActorRef<Parrot>);

impl Echo for Far {
    async fn ask(&self, payload: Vec<u8>) -> Vec<u8> {
        self.0.ask(&Say(payload)).await.expect("the other process lives").0
    }
}

fn swarm() -> Swarm<remote::Behaviour> {
    let config = messaging::Config::default().with_max_concurrent_streams(STREAMS_MAX);
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .expect("noise has a key")
        .with_behaviour(|key| remote::Behaviour::new(key.public().to_peer_id(), config))
        .expect("the behaviour is made")
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3600)))
        .build();
    swarm.behaviour().init_global();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("an address")).expect("loopback has ports");
    swarm
}
