//! The work: one process asks another for what it sent.

use std::future::Future;

use tokio::task::JoinSet;

use super::processes::Answering;
use crate::meter::Sample;

/// How long what is sent and sent back is.
pub const PAYLOAD_BYTES: usize = 64;

/// Before the time is taken, so many asks are answered for each caller.
const WARM_UP: u64 = 20;

/// The near end of an echo in another process.
pub trait Echo: Clone + Send + Sync + 'static {
    /// Sends the payload there, and returns what comes back.
    fn ask(&self, payload: Vec<u8>) -> impl Future<Output = Vec<u8>> + Send;
}

/// Time for an ask, over all callers, of which each has one under way.
pub async fn asks<E: Echo>(echo: E, answering: &Answering, callers: u64, asks: u64) -> Sample {
    let each = asks / callers;
    all(&echo, callers, WARM_UP).await;
    let watch = answering.watch();
    all(&echo, callers, each).await;
    watch.per(each * callers)
}

async fn all<E: Echo>(echo: &E, callers: u64, each: u64) {
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let echo = echo.clone();
        tasks.spawn(async move {
            for ask in 0..each {
                let sent = payload(caller, ask);
                assert_eq!(echo.ask(sent.to_vec()).await, sent, "an ask gets its own answer");
            }
        });
    }
    tasks.join_all().await;
}

/// What a caller sends. No two are the same.
pub fn payload(caller: u64, ask: u64) -> [u8; PAYLOAD_BYTES] {
    let mut payload = [7; PAYLOAD_BYTES];
    payload[..8].copy_from_slice(&caller.to_le_bytes());
    payload[8..16].copy_from_slice(&ask.to_le_bytes());
    payload
}
