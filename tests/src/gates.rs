//! How a test holds up a handler, and counts how often it ran.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// The gates of all entities, by an id that a test has for itself.
static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);

/// The gate of one entity: every life of it, on every node, passes the same.
pub struct Gate {
    passes: Semaphore,
    entered: AtomicU64,
}

impl Gate {
    /// The gate of the entity with this id. It is closed.
    pub fn of(id: &str) -> Arc<Self> {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = || Arc::new(Self { passes: Semaphore::new(0), entered: AtomicU64::new(0) });
        gates.entry(id.to_owned()).or_insert_with(closed).clone()
    }

    /// A handler comes to the gate.
    pub fn enter(&self) -> u64 {
        self.entered.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Waits until the handler may go on.
    pub async fn pass(&self) {
        if let Ok(permit) = self.passes.acquire().await {
            permit.forget();
        }
    }

    /// Lets so many handlers go on.
    pub fn open(&self, handlers: usize) {
        self.passes.add_permits(handlers);
    }

    /// How many handlers have come.
    pub fn entered(&self) -> u64 {
        self.entered.load(Ordering::SeqCst)
    }
}
