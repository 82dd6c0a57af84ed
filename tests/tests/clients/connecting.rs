//! How a client gets in, or does not.

use std::time::Duration;

use casty::prelude::*;
use casty::{Client, ClientConfig, ConnectError};
use casty_tests::cluster::{Cluster, DEADLINE, config, node};

use crate::support::{Counter, settings};

const SOON: Duration = Duration::from_millis(500);

async fn refused(config: ClientConfig) -> String {
    match Client::connect(config.connect_timeout(SOON)).await {
        Err(error @ ConnectError::Unreachable { .. }) => error.to_string(),
        other => unreachable!("it should not get in: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_belong_is_told_why() {
    let secret = "what only friends know";
    let cluster = Cluster::start_with(3, |config| config.secret(secret)).await;
    let said = refused(settings(&cluster)).await;
    assert!(said.contains("a shared secret"), "{said}");
    let said = refused(settings(&cluster).secret("what nobody knows at all")).await;
    assert!(said.contains("same secret"), "{said}");
    let said = refused(settings(&cluster).secret(secret).cluster_name("other")).await;
    assert!(said.contains("`other`") && said.contains("`casty`"), "{said}");
    let nowhere = ClientConfig::new(["127.0.0.1:1"]).tls(Tls::insecure());
    let said = refused(nowhere).await;
    assert!(said.contains("127.0.0.1:1"), "{said}");
    Client::connect(settings(&cluster).secret(secret)).await.unwrap().shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_waits_for_a_node_that_belongs_to_a_cluster() {
    let mut cluster = Cluster::empty().await;
    let lonely = node(config(1, 2).net(cluster.network.of(0))).await;
    let address = lonely.address();
    cluster.add(lonely);
    let said = refused(settings(&cluster)).await;
    assert!(said.contains("belongs to no cluster yet"), "{said}");
    let connecting = tokio::spawn(Client::connect(settings(&cluster)));
    cluster.add(node(config(2, 2).seeds([address]).net(cluster.network.of(1))).await);
    let client = connecting.await.unwrap().unwrap();
    let (counters, _) =
        tokio::join!(client.sharded::<Counter>("counter").within(DEADLINE), cluster.sharded::<Counter>("counter"));
    assert_eq!(counters.unwrap().entity("a").next().await, Ok(1));
}
