//! Rows that come from another node, beside those that are there.

use std::ops::Range;

use super::super::rows;
use super::disk::FaultyDisk;
use super::rows::{generations, key, put, save, save_durably, saved};
use super::{GROUP, loaded, open};
use crate::storage::suite::durable;
use crate::storage::{RowBatch, StagedRows, Stores};

/// Takes rows, until they are durable.
fn take(staged: &mut dyn StagedRows, numbers: Range<u64>, value: &[u8]) {
    let mut batch = RowBatch::builder();
    numbers.for_each(|number| batch.push(&key(number), value).unwrap());
    let batch = batch.build();
    durable(|done| staged.put(batch, done)).unwrap();
}

#[test]
fn what_a_snapshot_of_another_node_replaced_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    put(&*state, 0..5_000, &[1; 500]);
    save(&log, &*state, 1, Box::new(|_| {}));
    // One that is given up, and one that comes.
    for (index, adopt) in [(2, false), (3, true)] {
        let mut staged = state.stage().unwrap();
        take(&mut *staged, 0..3_000, &[index; 500]);
        if adopt {
            staged.adopt().unwrap();
            save(&log, &*state, 3, Box::new(|_| {}));
        }
    }
    drop((log, state));
    let left = generations(stores, folder.path());
    assert_eq!(left.len(), 1, "{left:?}");
    let rows = saved(&open(folder.path()).log(GROUP).unwrap());
    assert!(rows.len() == 3_000 && rows.values().all(|value| *value == [3; 500]));
}

#[test]
fn a_snapshot_of_another_node_that_was_cut_off_leaves_the_old_state_and_is_removed() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    put(&*state, 0..1_000, b"old");
    save_durably(&log, &*state, 1);
    let mut staged = state.stage().unwrap();
    for from in [0, 3_000] {
        take(&mut *staged, from..from + 3_000, &[7; 500]);
    }
    // The switch does not reach the disk.
    staged.adopt().unwrap();
    disk.hold(true);
    save(&log, &*state, 2, Box::new(|_| {}));
    disk.is_held();
    let lost = disk.without_power(1);
    disk.hold(false);
    drop((stores, log, state));
    let stores = lost.open(folder.path());
    let log = stores.log(GROUP).unwrap();
    let (rows, through) = (saved(&log), loaded(&log).unwrap().through.index);
    let whole = if through == 1 { (1_000, &b"old"[..]) } else { (6_000, &[7; 500][..]) };
    assert!(rows.len() == whole.0 && rows.values().all(|value| value == whole.1), "{} rows at {through}", rows.len());
    drop((log, stores));
    let file = lost.file(folder.path());
    assert_eq!(
        file.read(|read| Ok(rows::generations(&read.open_table(rows::ROWS)?, rows::ALL)?)).unwrap().len(),
        1,
        "one of the two is removed"
    );
}

#[test]
fn what_is_left_of_an_earlier_table_does_not_meet_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let log = stores.log(GROUP).unwrap();
    let old = stores.state(GROUP).unwrap().stage().unwrap();
    let state = stores.state(GROUP).unwrap();
    let mut staged = state.stage().unwrap();
    take(&mut *staged, 0..1_000, b"new");
    staged.adopt().unwrap();
    save_durably(&log, &*state, 1);
    // A chunk of a transfer was still being taken when its group was closed.
    drop(old);
    put(&*state, 0..1, b"newer");
    save_durably(&log, &*state, 2);
    assert_eq!(saved(&log).len(), 1_000);
}

#[test]
fn rows_that_were_taken_and_not_saved_are_removed_when_the_group_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    put(&*state, 0..10, b"old");
    save_durably(&log, &*state, 1);
    let mut staged = state.stage().unwrap();
    take(&mut *staged, 0..3_000, &[7; 500]);
    staged.adopt().unwrap();
    drop(state);
    let state = stores.state(GROUP).unwrap();
    assert_eq!(state.get(&key(5)).unwrap().as_deref(), Some(&b"old"[..]));
    drop((log, state));
    assert_eq!(generations(stores, folder.path()).len(), 1, "nobody names them");
}

#[test]
fn a_full_disk_takes_no_rows_of_other_nodes() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    let mut staged = state.stage().unwrap();
    disk.fill(true);
    put(&*state, 0..1, &[8; 3 << 20]);
    save(&log, &*state, 2, Box::new(|_| {}));
    while !stores.is_full() {
        std::thread::yield_now();
    }
    let refused = [staged.put(RowBatch::default(), Box::new(|_| {})).err(), state.stage().err()];
    // A store is closed once what is queued is written.
    disk.fill(false);
    for error in refused {
        assert_eq!(error.unwrap().kind(), std::io::ErrorKind::StorageFull);
    }
}
