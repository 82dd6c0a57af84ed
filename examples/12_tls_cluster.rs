//! Three nodes with mutual TLS, and a stranger that is not let in: `cargo run --example 12_tls_cluster`.
//!
//! The certificates are made here, in a folder that is removed at the end. In earnest they come from a CA of your own;
//! `casty certs --out certs --host node-1.example.org` makes some for development.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use casty::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

#[message]
struct Put(String);

#[message]
struct Get;

/// What is entrusted to the cluster.
#[persistent]
struct Safe {
    content: String,
}

#[actor]
impl Safe {
    fn new(_id: EntityId) -> Self {
        Self { content: String::new() }
    }

    #[handler]
    fn put(&mut self, Put(content): Put) {
        self.content = content;
    }

    #[handler]
    fn get(&self, _: Get) -> String {
        self.content.clone()
    }
}

/// A CA that vouches for nodes of this machine.
fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, BoxError> {
    let mut params = CertificateParams::new([])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

/// The files of one node. Its certificate is for the address at which the others dial it.
fn certificate(ca: &CertifiedIssuer<'_, KeyPair>, folder: &Path, node: &str) -> Result<Tls, BoxError> {
    let key = KeyPair::generate()?;
    let cert = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, ca)?;
    let file = |name: String, pem: String| -> Result<PathBuf, BoxError> {
        let path = folder.join(name);
        fs::write(&path, pem)?;
        Ok(path)
    };
    let ca = file(format!("{node}-ca.pem"), ca.pem())?;
    Ok(Tls::from_pem(ca, file(format!("{node}.pem"), cert.pem())?, file(format!("{node}.key"), key.serialize_pem())?))
}

/// A node that waits for two others.
fn config(name: &str, tls: Tls) -> ClusterConfig {
    ClusterConfig::new("127.0.0.1:0").tls(tls).node_id(name).expected_size(3)
}

async fn run(folder: &Path) -> Result<(), BoxError> {
    let ca = authority()?;
    let first = ActorSystem::cluster(config("node-1", certificate(&ca, folder, "node-1")?)).await?;
    let mut nodes = vec![first];
    for name in ["node-2", "node-3"] {
        let config = config(name, certificate(&ca, folder, name)?).seeds([nodes[0].address()]);
        nodes.push(ActorSystem::cluster(config).await?);
    }
    for node in &nodes {
        node.ready().await?;
    }
    let safe = nodes[0].sharded::<Safe>("safe").start().await?;
    safe.entity("mine").put(Put("a hundred gold pieces".to_owned())).await?;
    let safe = nodes[2].sharded::<Safe>("safe").start().await?;
    println!("node-3 finds {}", safe.entity("mine").get(Get).await?);

    // A stranger knows where the cluster is and what it is called, and has a certificate of a CA of its own.
    let tls = certificate(&authority()?, folder, "stranger")?;
    let config = config("stranger", tls).observer().seeds([nodes[0].address()]);
    let stranger = ActorSystem::cluster(config).await?;
    match timeout(Duration::from_secs(2), stranger.ready()).await {
        Ok(ready) => return Err(format!("the stranger was let in: {ready:?}").into()),
        Err(_) => {
            println!("the stranger still waits at the door; the cluster has {} members", nodes[0].members().len())
        }
    }
    stranger.shutdown().await;
    for node in &nodes {
        node.shutdown().await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Both sides warn of the stranger, and say why it is refused.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,openraft=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let folder = std::env::temp_dir().join(format!("casty-tls-cluster-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let ran = run(&folder).await;
    fs::remove_dir_all(&folder)?;
    ran
}
