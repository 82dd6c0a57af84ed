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

/// A table, and where its snapshots are kept if it is on a disk.
struct Kept {
    state: Box<dyn StateStore>,
    snapshots: Option<Arc<dyn SnapshotStore>>,
    saved: std::cell::Cell<u64>,
    _folder: Option<TempDir>,
}

type Rows = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;

impl Kept {
    fn in_memory() -> Self {
        let state = Box::new(MemoryState::new());
        Self { state, snapshots: None, saved: Default::default(), _folder: None }
    }

    fn on_disk() -> Self {
        let OnDisk { log, state, folder } = OnDisk::new();
        Self { state, snapshots: log.snapshots(), saved: Default::default(), _folder: Some(folder) }
    }

    /// All rows of this moment, to be read at any time.
    fn freeze(&self) -> Box<dyn RowReader> {
        let rows = self.state.freeze().unwrap();
        let snapshots = match (rows, &self.snapshots) {
            (FrozenRows::Here(reader), None) => return reader,
            (rows, Some(snapshots)) => {
                self.saved.set(self.saved.get() + 1);
                let through = LogPosition { term: 1, index: self.saved.get() };
                let snapshot = StoredSnapshot { through, meta: Bytes::new(), head: Bytes::new() };
                durable(|done| snapshots.save(snapshot, Some(rows), done)).unwrap();
                snapshots
            }
            (FrozenRows::Unsaved(_), None) => panic!("nowhere to save them"),
        };
        snapshots.load().unwrap().unwrap().1
    }

    fn put(&self, rows: std::ops::Range<u32>, value: &[u8]) {
        let keys: Vec<_> = rows.map(u32::to_be_bytes).collect();
        let batch: Vec<_> = keys.iter().map(|key| Change::Put(key, value)).collect();
        self.state.write(&batch).unwrap();
    }
}

/// Reads a few rows at a time, each of which must come once.
fn read(mut reader: Box<dyn RowReader>) -> Rows {
    let mut rows = Rows::new();
    loop {
        let batch = reader.read(100).unwrap();
        assert!(batch.bytes().len() < 100 + 1_000, "it stops in time");
        if batch.is_empty() {
            return rows;
        }
        for (key, value) in batch.iter() {
            assert_eq!(rows.insert(key.to_vec(), value.to_vec()), None, "{key:?} comes once");
        }
    }
}

fn rows(range: std::ops::Range<u32>, value: &[u8]) -> Rows {
    range.map(|key| (key.to_be_bytes().to_vec(), value.to_vec())).collect()
}

fn batch(rows: &Rows) -> RowBatch {
    let mut batch = RowBatch::builder();
    rows.iter().for_each(|(key, value)| batch.push(key, value).unwrap());
    batch.build()
}

fn a_row_is_what_was_last_written(kept: &Kept) {
    let state = &kept.state;
    for _ in 0..2 {
        state.write(&[Change::Put(b"a", b"1"), Change::Put(b"b", b"22"), Change::Put(b"a", b"3")]).unwrap();
        assert_eq!(state.get(b"a").unwrap().as_deref(), Some(b"3".as_slice()));
        drop(kept.freeze());
        assert_eq!(state.get(b"a").unwrap().as_deref(), Some(b"3".as_slice()));
        state.write(&[Change::Put(b"b", b"longer"), Change::Delete(b"a"), Change::Delete(b"none")]).unwrap();
        assert_eq!(state.get(b"a").unwrap(), None);
        assert_eq!(state.get(b"b").unwrap().as_deref(), Some(b"longer".as_slice()));
        let left = Rows::from([(b"b".to_vec(), b"longer".to_vec())]);
        assert_eq!(read(kept.freeze()), left);
        assert_eq!(state.get(b"a").unwrap(), None);
    }
}

fn a_frozen_table_is_that_of_its_moment(kept: &Kept) {
    kept.put(0..3_000, b"old");
    let mut frozen = kept.freeze();
    let mut seen = frozen.read(10_000).unwrap().rows();
    kept.put(1_000..4_000, b"new");
    kept.state.write(&[Change::Delete(&5u32.to_be_bytes())]).unwrap();
    let later = kept.freeze();
    while let Some(batch) = Some(frozen.read(10_000).unwrap()).filter(|batch| !batch.is_empty()) {
        assert!(batch.iter().all(|(_, value)| value == b"old"));
        seen += batch.rows();
    }
    assert_eq!(seen, 3_000);
    let mut now = rows(0..1_000, b"old");
    now.remove(5u32.to_be_bytes().as_slice());
    now.extend(rows(1_000..4_000, b"new"));
    assert_eq!(read(later), now);
}

fn staged_rows_take_the_place_of_all_others_at_once(kept: &Kept) {
    kept.put(0..2_000, b"old");
    drop(kept.freeze());
    kept.put(2_000..2_010, b"old");
    let mut staged = kept.state.stage().unwrap();
    let new = rows(1_000..3_000, b"new");
    durable(|done| staged.put(batch(&new), done)).unwrap();
    kept.put(2_010..2_020, b"old");
    assert_eq!(read(kept.freeze()), rows(0..2_020, b"old"), "nothing has changed so far");
    staged.adopt().unwrap();
    assert_eq!(kept.state.get(&5u32.to_be_bytes()).unwrap(), None);
    assert_eq!(kept.state.get(&2_999u32.to_be_bytes()).unwrap().as_deref(), Some(b"new".as_slice()));
    assert_eq!(read(kept.freeze()), new);
    kept.put(0..1, b"newer");
    assert_eq!(read(kept.freeze()).len(), 2_001);
}

fn staged_rows_that_are_not_adopted_leave_nothing(kept: &Kept) {
    kept.put(0..10, b"old");
    let mut staged = kept.state.stage().unwrap();
    durable(|done| staged.put(batch(&rows(5..500, b"new")), done)).unwrap();
    drop(staged);
    assert_eq!(read(kept.freeze()), rows(0..10, b"old"));
    let mut staged = kept.state.stage().unwrap();
    durable(|done| staged.put(batch(&rows(7..8, b"new")), done)).unwrap();
    staged.adopt().unwrap();
    assert_eq!(read(kept.freeze()), rows(7..8, b"new"));
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
    folder: TempDir,
}

impl OnDisk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity { node: "node".into(), cluster: "cluster".to_owned() };
        let stores = DiskStores::open(folder.path(), &identity).unwrap();
        let group = crate::base::GroupId(3);
        Self { log: stores.log(group).unwrap(), state: stores.state(group).unwrap(), folder }
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
        suite!($make => a_row_is_what_was_last_written a_frozen_table_is_that_of_its_moment
            staged_rows_take_the_place_of_all_others_at_once staged_rows_that_are_not_adopted_leave_nothing);
    };
}

mod memory_log {
    logs!(Box::new(super::MemoryLog::new()));
}

mod disk_log {
    logs!(super::OnDisk::new());
}

mod memory_state {
    tables!(Box::new(super::Kept::in_memory()));
}

mod disk_state {
    tables!(Box::new(super::Kept::on_disk()));
}
