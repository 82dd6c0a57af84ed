//! Clients that write all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use casty::{AskError, Sharded};
use tokio::task::JoinSet;

use crate::bank::{Account, Deposit};

/// Clients that write all the time, each to an entity of its own, and take note of every failure.
pub struct Load {
    end: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    clients: JoinSet<Result<(String, u64), String>>,
}

impl Load {
    /// So many clients, each of which pays into an account.
    pub fn start(accounts: &Sharded<Account>, clients: usize) -> Self {
        let accounts = accounts.clone();
        Self::of(clients, move |id| {
            let account = accounts.entity(id);
            async move { account.deposit(Deposit { amount: 1 }).await }
        })
    }

    /// So many clients, each of which has the entity with its id count one more, and is told how far that has come.
    pub fn of<W, F>(clients: usize, write: W) -> Self
    where
        W: Fn(&str) -> F + Clone + Send + 'static,
        F: Future<Output = Result<u64, AskError>> + Send,
    {
        let (end, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut set = JoinSet::new();
        for client in 0..clients {
            let id = format!("load-{client}");
            let (end, written, write) = (end.clone(), written.clone(), write.clone());
            set.spawn(async move {
                let mut count = 0;
                while !end.load(Ordering::Relaxed) {
                    match write(&id).await {
                        Ok(now) if now == count + 1 => count = now,
                        other => return Err(format!("{id}: after {count}: {other:?}")),
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                }
                Ok((id, count))
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
