//! What every implementation must do. A new one adds a line per test.

use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;

pub(super) fn entry(term: u64, index: u64) -> LogEntry {
    let payload = Payload::Command(Bytes::from(format!("{term}/{index}")));
    LogEntry { at: LogPosition { term, index }, payload }
}

pub(super) fn entries(term: u64, range: std::ops::Range<u64>) -> Vec<LogEntry> {
    range.map(|index| entry(term, index)).collect()
}

/// Hands work in and waits until it is durable, which it must become once.
pub(super) fn durable(begin: impl FnOnce(Flushed) -> io::Result<()>) -> io::Result<()> {
    let (tell, told) = channel();
    begin(Box::new(move |result| tell.send(result).unwrap()))?;
    let result = told.recv_timeout(Duration::from_secs(20)).expect("the store tells that it is done");
    assert_eq!(told.recv_timeout(Duration::from_secs(20)).unwrap_err(), RecvTimeoutError::Disconnected, "and once");
    result
}

fn append(log: &dyn LogStore, entries: Vec<LogEntry>) -> io::Result<()> {
    durable(|done| log.append(entries, done))
}

fn an_entry_is_read_as_it_was_appended(log: &dyn LogStore) {
    assert_eq!(log.bounds().unwrap(), LogBounds::default());
    let mut all = entries(1, 0..5);
    all[3].payload = Payload::Membership(Bytes::from_static(b"voters"));
    all[4].payload = Payload::Blank;
    append(log, all.clone()).unwrap();
    assert_eq!(log.read(0..100, u64::MAX).unwrap(), all);
    assert_eq!(log.read(2..4, u64::MAX).unwrap(), all[2..4]);
    assert_eq!(log.bounds().unwrap(), LogBounds { purged: None, last: Some(all[4].at) });
}

fn a_read_stops_at_its_bytes_but_never_before_one_entry(log: &dyn LogStore) {
    append(log, entries(1, 0..10)).unwrap();
    let one = entry(1, 0).bytes();
    assert_eq!(log.read(0..10, 0).unwrap().len(), 1);
    assert_eq!(log.read(0..10, 2 * one).unwrap().len(), 2);
    assert_eq!(log.read(3..10, u64::MAX).unwrap().len(), 7);
}

fn a_hole_is_refused(log: &dyn LogStore) {
    append(log, entries(1, 0..3)).unwrap();
    assert!(append(log, entries(1, 4..6)).is_err());
    assert!(append(log, entries(1, 2..3)).is_err());
    assert_eq!(log.bounds().unwrap().last, Some(LogPosition { term: 1, index: 2 }));
}

fn a_tail_is_replaced(log: &dyn LogStore) {
    append(log, entries(1, 0..10)).unwrap();
    log.truncate_after(Some(5)).unwrap();
    append(log, entries(2, 6..8)).unwrap();
    assert_eq!(log.read(5..20, u64::MAX).unwrap(), [entry(1, 5), entry(2, 6), entry(2, 7)]);
    log.truncate_after(None).unwrap();
    assert_eq!(log.bounds().unwrap(), LogBounds::default());
}

fn indexes_go_on_after_a_purge_of_all_entries(log: &dyn LogStore) {
    append(log, entries(1, 0..10)).unwrap();
    log.purge(LogPosition { term: 1, index: 3 }).unwrap();
    assert_eq!(log.read(0..5, u64::MAX).unwrap(), [entry(1, 4)]);
    // A snapshot that covers more than the log: the next entry follows the snapshot.
    let through = LogPosition { term: 2, index: 100 };
    log.purge(through).unwrap();
    assert_eq!(log.bounds().unwrap(), LogBounds { purged: Some(through), last: Some(through) });
    append(log, entries(2, 101..103)).unwrap();
    assert_eq!(log.read(0..200, u64::MAX).unwrap(), entries(2, 101..103));
    // An older purge changes nothing.
    log.purge(LogPosition { term: 1, index: 3 }).unwrap();
    log.truncate_after(Some(101)).unwrap();
    assert_eq!(log.bounds().unwrap().last, Some(LogPosition { term: 2, index: 101 }));
}

fn the_last_vote_is_kept(log: &dyn LogStore) {
    assert_eq!(log.vote().unwrap(), None);
    for committed in [false, true] {
        let vote = Vote { term: 3, node: 7, committed };
        durable(|done| log.save_vote(vote, done)).unwrap();
        assert_eq!(log.vote().unwrap(), Some(vote));
    }
}

fn a_row_is_what_was_last_written(state: &dyn StateStore) {
    state.write(&[Change::Put(b"a", b"1"), Change::Put(b"b", b"22"), Change::Put(b"a", b"3")]).unwrap();
    assert_eq!(state.get(b"a").unwrap().as_deref(), Some(b"3".as_slice()));
    state.write(&[Change::Put(b"b", b"longer"), Change::Delete(b"a"), Change::Delete(b"none")]).unwrap();
    assert_eq!(state.get(b"a").unwrap(), None);
    assert_eq!(state.get(b"b").unwrap().as_deref(), Some(b"longer".as_slice()));
    assert_eq!((state.len(), state.bytes()), (1, 7));
}

fn every_row_is_visited_once(state: &dyn StateStore) {
    let keys: Vec<_> = (0..5_000u32).map(u32::to_be_bytes).collect();
    let batch: Vec<_> = keys.iter().map(|key| Change::Put(key, key)).collect();
    state.write(&batch).unwrap();
    let mut seen = Vec::new();
    state
        .for_each(&mut |key, value| {
            assert_eq!(key, value);
            seen.push(key.to_vec());
        })
        .unwrap();
    seen.sort();
    assert_eq!(seen, keys);
    assert_eq!((state.len(), state.bytes()), (5_000, 40_000));
    state.clear().unwrap();
    assert!(state.is_empty() && state.bytes() == 0 && state.get(&keys[0]).unwrap().is_none());
}

macro_rules! suite {
    ($make:expr => $($name:ident)*) => {
        $(#[test]
        fn $name() {
            super::$name(&*$make);
        })*
    };
}

/// A log on the disk, for as long as it is looked at.
struct OnDisk {
    log: Arc<dyn LogStore>,
    state: Box<dyn StateStore>,
    _folder: TempDir,
}

impl OnDisk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity { node: "node".into(), cluster: "cluster".to_owned() };
        let stores = DiskStores::open(folder.path(), &identity).unwrap();
        let group = crate::base::GroupId(3);
        Self { log: stores.log(group).unwrap(), state: stores.state(group).unwrap(), _folder: folder }
    }
}

impl Deref for OnDisk {
    type Target = dyn LogStore;

    fn deref(&self) -> &Self::Target {
        &*self.log
    }
}

macro_rules! logs {
    ($make:expr) => {
        suite!($make => an_entry_is_read_as_it_was_appended a_read_stops_at_its_bytes_but_never_before_one_entry
            a_hole_is_refused a_tail_is_replaced indexes_go_on_after_a_purge_of_all_entries the_last_vote_is_kept);
    };
}

macro_rules! tables {
    ($make:expr) => {
        suite!($make => a_row_is_what_was_last_written every_row_is_visited_once);
    };
}

mod memory_log {
    logs!(Box::new(super::MemoryLog::new()));
}

mod disk_log {
    logs!(super::OnDisk::new());
}

mod memory_state {
    tables!(Box::new(super::MemoryState::new()));
}

mod disk_state {
    tables!(super::OnDisk::new().state);
}
