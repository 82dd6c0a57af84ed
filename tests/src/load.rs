//! Clients that write all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use casty::Sharded;
use tokio::task::JoinSet;

use crate::bank::{Account, Deposit};

/// Clients that write all the time, each to an entity of its own, and take note of every failure.
pub struct Load {
    end: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    clients: JoinSet<Result<(String, u64), String>>,
}

impl Load {
    /// So many clients.
    pub fn start(accounts: &Sharded<Account>, clients: usize) -> Self {
        let (end, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut set = JoinSet::new();
        for client in 0..clients {
            let id = format!("load-{client}");
            let account = accounts.entity(id.as_str());
            let (end, written) = (end.clone(), written.clone());
            set.spawn(async move {
                let mut balance = 0;
                while !end.load(Ordering::Relaxed) {
                    match account.deposit(Deposit { amount: 1 }).await {
                        Ok(now) if now == balance + 1 => balance = now,
                        other => return Err(format!("{id}: after {balance}: {other:?}")),
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                }
                Ok((id, balance))
            });
        }
        Self { end, written, clients: set }
    }

    /// How much has been written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Ends the load. None of its requests may have failed. Gives who has what.
    pub async fn finish(mut self) -> Vec<(String, u64)> {
        self.end.store(true, Ordering::Relaxed);
        let mut balances = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            let balance = client.expect("a client does not panic");
            balances.push(balance.unwrap_or_else(|failed| unreachable!("a request failed: {failed}")));
        }
        balances
    }
}
