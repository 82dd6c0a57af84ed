//! Certificates that are replaced while nodes run.

use casty::{ClusterConfig, Tls};
use casty_tests::cluster::{Cluster, DEADLINE, node, ready};
use tokio::time::timeout;

use crate::certificates::Authority;
use crate::pairs::config;
use crate::watch::begin;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_takes_new_files_over_and_keeps_its_own_when_they_are_bad() {
    begin();
    let mut ca = Authority::new();
    let mut cluster = Cluster::empty().await;
    let guest = |number: usize, tls: Tls, seed: String| -> ClusterConfig {
        config("reload", number).tls(tls).observer().seeds([seed])
    };
    let (first, second) = (ca.node("a"), ca.node("b"));
    cluster.add(node(config("reload", 1).tls(first.clone())).await);
    let seed = cluster.node(0).address();
    cluster.add(node(config("reload", 2).tls(second.clone()).seeds([seed.clone()])).await);
    for (_, node) in cluster.live() {
        ready(node).await;
    }
    // A bad file is an error for whoever asks, and no harm to the node.
    ca.spoil("a");
    let error = first.reload().unwrap_err().to_string();
    assert!(error.contains("a.key") && error.contains("no private key"), "{error}");
    let number = cluster.add(node(guest(3, ca.node("c"), seed.clone())).await);
    timeout(DEADLINE, cluster.node(number).ready()).await.expect("the old files are in use").unwrap();
    // Nobody has to ask: the files are looked at before new links.
    ca.replace();
    for node in ["a", "b"] {
        ca.node(node);
    }
    let number = cluster.add(node(guest(4, ca.node("d"), seed)).await);
    timeout(DEADLINE, cluster.node(number).ready()).await.expect("the new files are in use").unwrap();
}
