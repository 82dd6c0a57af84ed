//! The life of a node, from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use casty::base::BoxError;
use casty::prelude::*;
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

use super::orders::Desk;
use super::words::{orders, say};
use super::{Answer, Declare, Numbered, Options, Order, Said};

/// How long a node has to shut down.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// What is logged where `RUST_LOG` does not say.
const LOGGED: &str = "info,openraft=error";

/// Runs a node until it is told to stop, or its standard input ends.
pub async fn run(options: &Options, declare: Declare) -> Result<(), BoxError> {
    // A process that is stopped would not notice that its input ended.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let mut orders = orders();
    let node = Arc::new(ActorSystem::cluster(options.config()).await?);
    let desk = Desk::open(options, node.clone()).await?;
    let ready = tokio::spawn(get_ready(node.clone(), desk.clone(), declare));
    while let Some(Numbered { number, what }) = orders.recv().await {
        if matches!(what, Order::Stop) {
            say(&Said::Answer(Numbered { number, what: Answer::Done }));
            break;
        }
        let desk = desk.clone();
        tokio::spawn(async move {
            let what = desk.do_it(what).await.unwrap_or_else(|error| Answer::Failed { why: error.to_string() });
            say(&Said::Answer(Numbered { number, what }));
        });
    }
    ready.abort();
    // Where the harness is gone, nobody waits for an orderly end any more.
    let _ = timeout(SHUTDOWN_LIMIT, node.shutdown()).await;
    Ok(())
}

async fn get_ready(node: Arc<Node>, desk: Arc<Desk>, declare: Declare) {
    let ready = async {
        node.ready().await?;
        desk.declare().await?;
        declare(node.clone()).await
    };
    match ready.await {
        Ok(()) => say(&Said::Ready),
        Err(error) => tracing::error!(error, "the node does not become ready"),
    }
}
