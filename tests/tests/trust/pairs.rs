//! Two nodes, as they are configured: those that fit make a cluster, and others say why not, on both sides.

use std::time::{Duration, SystemTime};

use casty::{ActorSystem, ClusterConfig, Tls};
use casty_tests::bank::{Account, Deposit, GetBalance};
use casty_tests::cluster::{Cluster, DEADLINE, eventually, node, ready};

use crate::certificates::Authority;
use crate::watch::{begin, counted, warned};

const SECRET: &str = "what the bank knows";

/// How a node says that it belongs to the cluster.
type How<'a> = &'a dyn Fn(ClusterConfig) -> ClusterConfig;

pub(crate) fn config(cluster: &str, number: usize) -> ClusterConfig {
    let config = ClusterConfig::new("127.0.0.1:0").cluster_name(cluster).node_id(format!("node-{number}"));
    config.expected_size(2).ask_timeout(DEADLINE).seeds(["127.0.0.1:1"])
}

/// Starts two nodes, of which the second knows the first.
async fn pair(name: &str, first: How<'_>, second: How<'_>) -> Cluster {
    begin();
    let mut cluster = Cluster::empty().await;
    cluster.add(node(first(config(name, 1))).await);
    let seed = cluster.node(0).address();
    cluster.add(node(second(config(name, 2)).seeds([seed])).await);
    cluster
}

/// They are one cluster: an entity is asked from both.
async fn fit(name: &str, first: How<'_>, second: How<'_>) {
    let cluster = pair(name, first, second).await;
    for (_, node) in cluster.live() {
        ready(node).await;
    }
    let accounts = cluster.sharded::<Account>("account").await;
    for number in 0..20u64 {
        let user = format!("user-{number}");
        assert_eq!(accounts[0].entity(user.as_str()).deposit(Deposit { amount: number }).await, Ok(number));
        assert_eq!(accounts[1].entity(user.as_str()).balance(GetBalance).await, Ok(number));
    }
}

/// They stay apart: the first says this, the second that, and neither is a member of the other's cluster.
async fn part(name: &str, first: (How<'_>, &str), second: (How<'_>, &str), reasons: (&str, &str)) {
    let cluster = pair(name, first.0, second.0).await;
    warned(first.1).await;
    warned(second.1).await;
    counted(name, "acceptor", reasons.0).await;
    counted(name, "dialler", reasons.1).await;
    assert!(cluster.live().all(|(_, node)| node.members().len() == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_with_certificates_of_one_ca_are_a_cluster() {
    let ca = Authority::new();
    fit("tls", &|config| config.tls(ca.node("a")), &|config| config.tls(ca.node("b"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_with_one_secret_are_a_cluster() {
    fit("secret", &|config| config.secret(SECRET), &|config| config.secret(SECRET)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_a_secret_go_together() {
    let ca = Authority::new();
    let first = |config: ClusterConfig| config.tls(ca.node("a")).secret(SECRET);
    let second = |config: ClusterConfig| config.tls(ca.node("b")).secret(SECRET);
    fit("both", &first, &second).await;
    let other = |config: ClusterConfig| config.tls(ca.node("b")).secret("what the shop knows");
    let text = "do not know the same secret";
    part("both but another secret", (&first, text), (&other, text), ("secret", "secret")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_secret_or_none_is_refused_and_both_sides_say_so() {
    let ours = |config: ClusterConfig| config.secret(SECRET);
    let theirs = |config: ClusterConfig| config.secret("what the shop knows");
    let text = "do not know the same secret";
    part("another secret", (&ours, text), (&theirs, text), ("secret", "secret")).await;
    let none = |config: ClusterConfig| config.tls(Tls::insecure());
    let (needs, lacks) = (
        "this node needs a shared secret of its peers, and the other offers lz4",
        "the other node needs a shared secret of its peers, and this one offers lz4",
    );
    part("no secret there", (&ours, needs), (&none, lacks), ("features", "features")).await;
    part("no secret here", (&none, lacks), (&ours, needs), ("features", "features")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_tls_and_one_without_stay_apart_whichever_dials() {
    let ca = Authority::new();
    let (tls, plain) =
        (|config: ClusterConfig| config.tls(ca.node("a")), |config: ClusterConfig| config.tls(Tls::insecure()));
    let (encrypted, plaintext) =
        ("the other side speaks TLS, and this node plaintext", "this node speaks TLS, and the other side does not");
    part("plain dials tls", (&tls, plaintext), (&plain, encrypted), ("tls", "tls")).await;
    part("tls dials plain", (&plain, encrypted), (&tls, plaintext), ("tls", "tls")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_ca_is_refused_on_both_sides() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    part(
        "another ca",
        (&|config| config.tls(ours.node("a")), "does not trust this node's certificate"),
        (&|config| config.tls(theirs.node("b")), "other side's certificate: it was not signed by this CA"),
        ("certificate", "certificate"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_for_another_name_is_refused_with_both_names_unless_the_name_is_fixed() {
    let ca = Authority::new();
    let elsewhere = |node| ca.for_host(node, "node.example.org");
    part(
        "another name",
        (&|config| config.tls(elsewhere("a")), "does not trust this node's certificate"),
        (
            &|config| config.tls(elsewhere("b")),
            "not valid for name \"127.0.0.1\"; certificate is only valid for DnsName(\"node.example.org\")",
        ),
        ("certificate", "certificate"),
    )
    .await;
    let fixed = |config: ClusterConfig, node| config.tls(elsewhere(node).server_name("node.example.org"));
    fit("a fixed name", &|config| fixed(config, "a"), &|config| fixed(config, "b")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_has_expired_is_refused_on_both_sides_and_at_the_start() {
    begin();
    let ca = Authority::new();
    let (short, end) = ca.short("b", Duration::from_secs(2));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut cluster = Cluster::empty().await;
    // It starts with a certificate that is good, and looks for a seed that comes when it is good no more.
    let late = node(config("expired", 2).tls(short.clone()).seeds([free.as_str()])).await;
    cluster.add(late);
    eventually(DEADLINE, "the certificate has expired", || SystemTime::now() > end + Duration::from_secs(1)).await;
    let seed = ClusterConfig::new(free).cluster_name("expired").node_id("node-1").expected_size(2);
    cluster.add(node(seed.seeds(["127.0.0.1:1"]).tls(ca.node("a"))).await);
    warned("other side's certificate: certificate expired").await;
    counted("expired", "acceptor", "certificate").await;
    counted("expired", "dialler", "certificate").await;
    assert!(cluster.live().all(|(_, node)| node.members().len() == 1));
    let refused = ActorSystem::cluster(config("expired", 3).tls(short)).await.err().unwrap().to_string();
    assert!(refused.contains("b.pem") && refused.contains("expired"), "{refused}");
}

#[tokio::test]
async fn a_node_that_was_not_told_whom_to_trust_does_not_start_and_says_the_three_ways() {
    let error = ActorSystem::cluster(ClusterConfig::new("127.0.0.1:0")).await.err().unwrap().to_string();
    for way in [".tls(Tls::from_pem(", ".secret(", ".tls(Tls::insecure())"] {
        assert!(error.contains(way), "{error}");
    }
    let files = Tls::from_pem("/nowhere/ca.pem", "/nowhere/node.pem", "/nowhere/node.key");
    let error = ActorSystem::cluster(ClusterConfig::new("127.0.0.1:0").tls(files)).await.err().unwrap().to_string();
    assert!(error.contains("cannot read the CA in `/nowhere/ca.pem`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plaintext_is_warned_of() {
    begin();
    let mut cluster = Cluster::empty().await;
    cluster.add(node(config("plain", 1).tls(Tls::insecure())).await);
    warned("links are plaintext, as `Tls::insecure()` asks for").await;
}
