//! A program that calls a cluster and is no node of it: `cargo run --example 16_edge_client`. The node that serves it dies while
//! it sells tickets, and no ticket is sold twice.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;
use casty::{Client, ClientConfig, NodeId};
use futures_util::future::try_join_all;

/// Sells the seats of one evening, one after the other.
#[persistent]
struct BoxOffice {
    sold: u32,
}

#[actor]
impl BoxOffice {
    fn new(_id: EntityId) -> Self {
        Self { sold: 0 }
    }

    /// The number of the seat.
    #[message]
    fn sell(&mut self) -> u32 {
        self.sold += 1;
        self.sold
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut nodes: Vec<Node> = Vec::new();
    for number in 1..=3 {
        let seed = nodes.first().map_or("127.0.0.1:1".to_owned(), Node::address);
        let config = ClusterConfig::new("127.0.0.1:0").node_id(format!("node-{number}"));
        let config = config.expected_size(3).seeds([seed]).tls(Tls::insecure());
        nodes.push(ActorSystem::cluster(config).await?);
    }
    for node in &nodes {
        node.ready().await?;
        node.sharded::<BoxOffice>("box-office").start().await?;
    }

    // One address is enough: of the other nodes the client hears then.
    let client = Client::connect(ClientConfig::new([nodes[0].address()]).tls(Tls::insecure())).await?;
    let office = client.sharded::<BoxOffice>("box-office").await?.entity("saturday");
    println!("a client is served by {}", name(client.connected_to()));

    let sales = try_join_all((0..2_000).map(|customer| {
        let (office, dying) = (office.clone(), (customer == 1_000).then(|| client.connected_to()).flatten());
        if let Some(dying) = dying {
            println!("{dying}, which serves the client, dies");
            nodes.retain(|node| node.id() != dying);
        }
        async move { office.sell().await }
    }));
    let mut seats = sales.await?;
    seats.sort_unstable();
    assert_eq!(seats, (1..=2_000).collect::<Vec<_>>(), "each seat once, and none left out");
    println!("2,000 customers have a seat each; now {} serves the client", name(client.connected_to()));
    client.shutdown().await;
    Ok(())
}

fn name(node: Option<NodeId>) -> String {
    node.map_or("no node".to_owned(), |id| id.to_string())
}
