//! Strangers who connect and say nothing.

use casty::testkit::stranger::Stranger;
use futures_util::future::{join_all, try_join_all};

use crate::siege::Siege;

/// Connections at one time: many times as many as may be in the handshake.
const STRANGERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_that_say_nothing_keep_nobody_out() {
    let mut siege = Siege::begin().await;
    let address = siege.address();
    let mut strangers = siege.during(try_join_all((0..STRANGERS).map(|_| Stranger::connect(&address)))).await.unwrap();
    siege.newcomer().await;
    siege.during(join_all(strangers.iter_mut().map(Stranger::closed))).await;
    siege.end().await;
}
