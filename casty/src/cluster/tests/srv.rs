//! Nodes that find each other by SRV records, of a name server that the test starts.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::support::{DEADLINE, Node, full_mesh, settings, tcp};
use crate::cluster::discovery::NameServer;
use crate::cluster::{Discovery, SrvDiscovery, SrvError};

const SERVICE: &str = "_casty._tcp.bank.example.";

fn discovery(server: &NameServer) -> SrvDiscovery {
    SrvDiscovery::new(SERVICE).name_servers([server.addr])
}

async fn failure(server: &NameServer) -> SrvError {
    *discovery(server).addresses().await.unwrap_err().downcast().unwrap()
}

#[tokio::test]
async fn each_address_of_each_target_is_a_node_on_the_port_of_its_record() {
    let server = NameServer::start().await;
    server.serves(SERVICE, "a.example.", 8001, (0, 10));
    server.serves(SERVICE, "a.example.", 9001, (0, 10));
    server.serves(SERVICE, "b.example.", 8002, (7, 0));
    server.has("a.example.", "127.0.0.1");
    server.has("b.example.", "127.0.0.2");
    server.has("b.example.", "::1");
    let found = discovery(&server).addresses().await.unwrap();
    assert_eq!(found, ["127.0.0.1:8001", "127.0.0.1:9001", "127.0.0.2:8002", "[::1]:8002"]);
}

#[tokio::test]
async fn a_target_without_an_address_is_passed_over() {
    let server = NameServer::start().await;
    server.serves(SERVICE, "gone.example.", 8001, (0, 0));
    server.serves(SERVICE, "a.example.", 8002, (0, 0));
    server.has("a.example.", "127.0.0.1");
    assert_eq!(discovery(&server).addresses().await.unwrap(), ["127.0.0.1:8002"]);
    server.forget("a.example.");
    let error = failure(&server).await;
    assert!(matches!(&error, SrvError::NoAddresses { name, targets: 2, .. } if name == SERVICE), "{error}");
}

#[tokio::test]
async fn a_name_without_records_is_an_error_that_says_what_was_asked() {
    let server = NameServer::start().await;
    let error = failure(&server).await;
    assert!(matches!(&error, SrvError::NoRecords { name } if name == SERVICE), "{error:?}");
    assert!(error.to_string().contains("`_casty._tcp.bank.example.` has no SRV records"), "{error}");
    server.has(SERVICE, "127.0.0.1");
    assert!(matches!(failure(&server).await, SrvError::NoRecords { .. }), "it has an address and no SRV records");
    server.serves(SERVICE, ".", 0, (0, 0));
    assert!(matches!(failure(&server).await, SrvError::NoRecords { .. }), "the root says that there are none");
}

#[tokio::test]
async fn a_name_server_that_is_not_there_is_an_error_within_the_time_of_a_discovery() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent = SrvDiscovery::new(SERVICE).name_servers([socket.local_addr().unwrap()]);
    let found = timeout(settings("a", &[]).timings.handshake_max, silent.addresses()).await;
    let error = *found.expect("an answer in time").unwrap_err().downcast::<SrvError>().unwrap();
    assert!(matches!(&error, SrvError::Unanswered { name, .. } if name == SERVICE), "{error}");
}

#[tokio::test]
async fn nodes_ask_until_there_are_records_and_find_each_other() {
    let mut server = NameServer::start().await;
    let found_by = Arc::new(discovery(&server));
    let start = |id| {
        let mut settings = settings(id, &[]);
        settings.discovery = Some(found_by.clone());
        Node::start(tcp(), settings)
    };
    let mut nodes = [start("a").await, start("b").await];
    let again = timeout(DEADLINE, server.asked.wait_for(|asked| *asked >= 6)).await;
    drop(again.expect("they ask again").unwrap());
    server.has("localhost.example.", "127.0.0.1");
    for node in &nodes {
        let port = node.addr().parse::<SocketAddr>().unwrap().port();
        server.serves(SERVICE, "localhost.example.", port, (0, 0));
    }
    full_mesh(&mut nodes).await;
}
