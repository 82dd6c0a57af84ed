//! What a node's file costs: `cargo bench -p casty --bench store [-- PART..]`, parts being `appends`, `rows`, `reopen` and
//! `join`.
//!
//! The file is in the folder for temporary files, which should be on a disk. `MEGABYTES` is the state of the group that
//! is sent, and 1,024 if not set.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is no library")]

mod appends;
mod join;
mod reopen;
mod rows;

use std::env;
use std::path::Path;
use std::time::Duration;

use casty::storage::{DiskStores, Flushed, Identity, LogPosition, LogStore, StateStore, StoredSnapshot};

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [part, folder] = &args[..]
        && part == "fill"
    {
        return reopen::fill(folder.as_ref());
    }
    let parts: [(&str, fn()); 4] =
        [("appends", appends::run), ("rows", rows::run), ("reopen", reopen::run), ("join", join::run)];
    for (name, run) in parts {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            run();
        }
    }
}

fn megabytes() -> u64 {
    env::var("MEGABYTES").map_or(1_024, |megabytes| megabytes.parse().unwrap())
}

fn open(folder: &Path, node: &str) -> DiskStores {
    DiskStores::open(folder, &Identity { node: node.into(), cluster: "bench".to_owned() }).unwrap()
}

fn wait(begin: impl FnOnce(Flushed) -> std::io::Result<()>) {
    let (tell, told) = std::sync::mpsc::channel();
    begin(Box::new(move |result| tell.send(result).unwrap())).unwrap();
    told.recv().unwrap().unwrap();
}

/// Hands a snapshot of a table to its store.
fn save(log: &dyn LogStore, state: &dyn StateStore, index: u64, done: Flushed) -> std::io::Result<()> {
    let through = LogPosition { term: 1, index };
    let snapshot = StoredSnapshot { through, meta: "meta".into(), head: "head".into() };
    log.snapshots().unwrap().save(snapshot, Some(state.freeze()?), done)
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    sorted
        .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
