//! The harness for real processes: what it breaks is broken, what it leaves is whole, and nothing stays behind.

#![cfg(test)]

mod cleanup;
mod faults;
mod network;
mod replacing;
mod versions;

use std::sync::LazyLock;

use casty_tests::processes::{Setup, skipped, unavailable};
use tokio::sync::{Mutex, MutexGuard};

/// Clusters share the machine's cores: one after the other.
static ALONE: Mutex<()> = Mutex::const_new(());

async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// Whether namespaces can be made. Says in one line why a test is skipped.
fn namespaces(test: &str) -> bool {
    static WHY_NOT: LazyLock<Option<String>> = LazyLock::new(unavailable);
    if let Some(why) = &*WHY_NOT {
        skipped(test, why);
    }
    WHY_NOT.is_none()
}

fn setup(founders: usize) -> Setup {
    Setup::new(env!("CARGO_BIN_EXE_casty-test-node"), founders)
}
