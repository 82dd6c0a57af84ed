//! Casty: an actor of another node, by a reference that works like one to an actor of the own. In plaintext, and with mutual TLS.
//! Asks end by their deadline in both.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use casty::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::Competitor;
use crate::meter::Sample;
use crate::remote::asks::{Echo, asks};
use crate::remote::processes::Answering;

const HOST: &str = "127.0.0.1";

#[message]
struct Say(Bytes);

struct Parrot;

#[actor]
impl Parrot {
    #[handler]
    fn say(&mut self, Say(payload): Say) -> Bytes {
        payload
    }
}

pub(super) struct Plain;

impl Competitor for Plain {
    const NAME: &'static str = "casty";

    async fn answer(ready: impl FnOnce(String) + Send) {
        answer(Tls::insecure(), ready).await;
    }

    async fn time(answering: Answering, callers: u64, number: u64) -> Sample {
        let far = Far::connect(Tls::insecure(), &answering.way).await;
        asks(far, &answering, callers, number).await
    }
}

pub(super) struct MutualTls;

impl Competitor for MutualTls {
    const NAME: &'static str = "casty-tls";

    async fn answer(ready: impl FnOnce(String) + Send) {
        let folder = certificates();
        answer(tls(&folder), |way| ready(format!("{way} {}", folder.display()))).await;
    }

    async fn time(answering: Answering, callers: u64, number: u64) -> Sample {
        let (way, folder) = answering.way.rsplit_once(' ').expect("the folder is named last");
        let far = Far::connect(tls(Path::new(folder)), way).await;
        fs::remove_dir_all(folder).expect("both have read their certificates");
        asks(far, &answering, callers, number).await
    }
}

#[derive(Clone)]
struct Far {
    parrot: ActorRef<Parrot>,
    _node: Arc<Node>,
}

impl Far {
    async fn connect(tls: Tls, way: &str) -> Self {
        let (seed, address) = way.split_once(' ').expect("an address and a reference");
        let node = node("asking", seed, tls).await;
        node.ready().await.expect("two found a cluster");
        let byte = |at| u8::from_str_radix(&address[at..at + 2], 16).expect("two digits a byte");
        let address: Vec<u8> = (0..address.len()).step_by(2).map(byte).collect();
        let parrot = node.import(&address).expect("the other node has exported it");
        Self { parrot, _node: Arc::new(node) }
    }
}

impl Echo for Far {
    async fn ask(&self, payload: Vec<u8>) -> Vec<u8> {
        self.parrot.ask(Say(payload.into())).await.expect("the other node lives").into()
    }
}

async fn answer(tls: Tls, ready: impl FnOnce(String)) {
    let node = node("answering", "127.0.0.1:1", tls).await;
    let parrot = node.spawn(Parrot).await.expect("the node is not shut down");
    let address: Vec<u8> = node.export(&parrot).expect("a reference can be encoded");
    let address: String = address.iter().map(|byte| format!("{byte:02x}")).collect();
    ready(format!("{} {address}", node.address()));
    std::future::pending().await
}

async fn node(name: &str, seed: &str, tls: Tls) -> Node {
    let config = ClusterConfig::new(format!("{HOST}:0")).node_id(name).expected_size(2).tls(tls).seeds([seed]);
    ActorSystem::cluster(config).await.expect("loopback has ports")
}

/// A CA, and one certificate that both nodes show: the files in a new folder.
fn certificates() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("casty-peers-{}", std::process::id()));
    fs::create_dir(&folder).expect("the folder for temporary files can be written to");
    let key = || KeyPair::generate().expect("the system has randomness");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, key()).expect("a CA signs itself");
    let (params, key) = (CertificateParams::new([HOST.to_owned()]).expect("an address is a name"), key());
    let cert = params.signed_by(&key, &ca).expect("the CA may sign");
    for (name, pem) in [("ca.pem", ca.pem()), ("node.pem", cert.pem()), ("node.key", key.serialize_pem())] {
        fs::write(folder.join(name), pem).expect("the folder is new");
    }
    folder
}

fn tls(folder: &Path) -> Tls {
    Tls::from_pem(folder.join("ca.pem"), folder.join("node.pem"), folder.join("node.key"))
}
