//! Ractor's cluster: two node servers over TCP, in plaintext; the actor is found in a process group. Calls have no deadline.

use std::net::TcpListener;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, pg};
use ractor_cluster::{NodeServer, NodeServerMessage, RactorClusterMessage, client_connect};
use tokio::time::sleep;

use super::Competitor;
use crate::meter::Sample;
use crate::remote::asks::{Echo, asks};
use crate::remote::processes::Answering;

const GROUP: &str = "parrots";

#[derive(RactorClusterMessage)]
enum Message {
    #[rpc]
    Say(Vec<u8>, RpcReplyPort<Vec<u8>>),
}

struct Parrot;

impl Actor for Parrot {
    type Msg = Message;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        Message::Say(payload, port): Message,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        port.send(payload)?;
        Ok(())
    }
}

pub(super) struct RactorCluster;

impl Competitor for RactorCluster {
    const NAME: &'static str = "ractor_cluster";

    async fn answer(ready: impl FnOnce(String) + Send) {
        let (_node, port) = node("answering").await;
        let (parrot, running) = Actor::spawn(None, Parrot, ()).await.expect("it starts");
        pg::join(GROUP.to_owned(), vec![parrot.get_cell()]);
        ready(format!("127.0.0.1:{port}"));
        running.await.expect("the actor does not panic");
    }

    async fn time(answering: Answering, callers: u64, number: u64) -> Sample {
        let (node, _) = node("asking").await;
        client_connect(&node, &answering.way).await.expect("the other node listens");
        let parrot = loop {
            match pg::get_members(&GROUP.to_owned()).into_iter().find(|member| !member.get_id().is_local()) {
                Some(parrot) => break parrot,
                None => sleep(Duration::from_millis(10)).await,
            }
        };
        asks(Far(parrot.into()), &answering, callers, number).await
    }
}

#[derive(Clone)]
struct Far(ActorRef<Message>);

impl Echo for Far {
    async fn ask(&self, payload: Vec<u8>) -> Vec<u8> {
        ractor::call!(self.0, Message::Say, payload).expect("the other node lives")
    }
}

/// A node on a port that was free a moment ago: it cannot be asked which one it got.
async fn node(name: &str) -> (ActorRef<NodeServerMessage>, u16) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("loopback has ports").port();
    let server = NodeServer::new(port, "peers".to_owned(), name.to_owned(), "localhost".to_owned(), None, None);
    let (node, _) = Actor::spawn(None, server, ()).await.expect("the port is still free");
    (node, port)
}
