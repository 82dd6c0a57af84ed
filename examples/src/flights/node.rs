//! The role of a child: one node of the cluster.

use std::io::{Read, Write};
use std::time::Duration;

use casty::base::{BoxError, NodeId};
use casty::prelude::*;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::children::{LISTENING, READY};
use super::error::FlightsError;
use super::options::NodeOptions;

/// Where every node binds: a free port of the loopback interface.
pub const BIND: &str = "127.0.0.1:0";

/// How long a node has to shut down once its parent is gone.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Runs a node until standard input ends, which it does when the parent is gone.
///
/// The node declares no entity type: that the program has `Aircraft` is enough for it to run some.
pub async fn run(options: &NodeOptions) -> Result<(), FlightsError> {
    let id = NodeId::from(options.id.as_str());
    let failed = |step, source: BoxError| FlightsError::Node { node: id.clone(), step, source };
    let parent_is_gone = stdin_ends();
    let config = ClusterConfig::new(BIND)
        .tls(Tls::insecure())
        .node_id(options.id.as_str())
        .expected_size(usize::from(options.nodes))
        .replication(Replication::balanced().replicas(usize::from(options.replicas)))
        .seeds(options.seeds.clone());
    let node = ActorSystem::cluster(config).await.map_err(|error| failed("start", error.into()))?;
    say(&format!("{LISTENING} {}", node.address())).map_err(|error| failed("tell its address", error.into()))?;
    let work = async {
        node.ready().await.map_err(|error| failed("become ready", error.into()))?;
        say(READY).map_err(|error| failed("tell that it is ready", error.into()))?;
        std::future::pending().await
    };
    tokio::select! {
        failure = work => failure,
        _ = parent_is_gone => {
            // Nobody waits for an orderly end any more; the limit only keeps a process from staying for ever.
            let _ = timeout(SHUTDOWN_LIMIT, node.shutdown()).await;
            Ok(())
        }
    }
}

/// Ends when standard input does. A thread of its own reads it, since a runtime waits at its end for every read that
/// it began.
fn stdin_ends() -> oneshot::Receiver<()> {
    let (ended, ends) = oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
        let _ = ended.send(());
    });
    ends
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
