//! The runtimes.

use tokio::runtime::{Builder, Runtime};

/// How many threads run the actors and their callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Tokio's current-thread runtime.
    One,
    /// Tokio's multi-thread runtime with two workers.
    Two,
}

impl Threads {
    /// A new runtime.
    pub fn runtime(self) -> Runtime {
        let mut builder = match self {
            Self::One => Builder::new_current_thread(),
            Self::Two => Builder::new_multi_thread(),
        };
        builder.worker_threads(2).enable_all().build().expect("the system lets threads be made")
    }
}
