//! What only a store on a disk has to do.

mod damage;
mod disk;
mod faults;
mod moments;
mod opening;
mod reopening;
mod rows;
mod staged;
mod unsynced;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::{DiskStores, Identity};
use crate::base::GroupId;
use crate::storage::{LogPosition, LogStore, StoredSnapshot};

const GROUP: GroupId = GroupId(1);

fn identity() -> Identity {
    Identity { node: "node-1".into(), cluster: "shop".to_owned() }
}

fn open(folder: &Path) -> DiskStores {
    DiskStores::open(folder, &identity()).unwrap()
}

fn snapshot(index: u64, bytes: usize) -> StoredSnapshot {
    let head = (0..bytes).map(|at| (at % 251) as u8 ^ index as u8).collect::<Vec<_>>();
    StoredSnapshot { through: at(index), meta: Bytes::from(format!("meta {index}")), head: head.into() }
}

/// The snapshot that a group saved last.
fn loaded(log: &Arc<dyn LogStore>) -> Option<StoredSnapshot> {
    log.snapshots().unwrap().load().unwrap().map(|(snapshot, _)| snapshot)
}

fn at(index: u64) -> LogPosition {
    LogPosition { term: 1, index }
}
