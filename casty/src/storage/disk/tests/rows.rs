//! Tables on the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::file::StoreFile;
use super::super::rows::{self, Generation};
use super::disk::FaultyDisk;
use super::{GROUP, at, identity, loaded, open};
use crate::base::GroupId;
use crate::storage::suite::{durable, entries};
use crate::storage::{
    Change, DiskSettings, DiskStores, Flushed, LogEntry, LogStore, Payload, StateStore, StoredSnapshot, Stores, Vote,
};

pub(super) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

pub(super) fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Saves a table as the entries up to `index` have made it.
pub(super) fn save(log: &Arc<dyn LogStore>, state: &dyn StateStore, index: u64, done: Flushed) {
    let snapshot = StoredSnapshot { through: at(index), meta: "meta".into(), head: index.to_string().into() };
    log.snapshots().unwrap().save(snapshot, Some(state.freeze().unwrap()), done).unwrap();
}

pub(super) fn save_durably(log: &Arc<dyn LogStore>, state: &dyn StateStore, index: u64) {
    let save = |done| {
        save(log, state, index, done);
        Ok(())
    };
    durable(save).unwrap();
}

/// The rows of the last snapshot.
pub(super) fn saved(log: &Arc<dyn LogStore>) -> Rows {
    let Some((_, mut reader)) = log.snapshots().unwrap().load().unwrap() else { return Rows::new() };
    let batch = reader.read(usize::MAX).unwrap();
    batch.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

pub(super) fn put(state: &dyn StateStore, numbers: std::ops::Range<u64>, value: &[u8]) {
    let keys: Vec<_> = numbers.map(key).collect();
    state.write(&keys.iter().map(|key| Change::Put(key, value)).collect::<Vec<_>>()).unwrap();
}

/// The generations of the group in the file, once nothing is left to do.
pub(super) fn generations(stores: DiskStores, folder: &Path) -> Vec<Generation> {
    drop(stores);
    let file = StoreFile::open(folder, &identity(), &DiskSettings::default()).unwrap();
    file.read(|read| Ok(rows::generations(&read.open_table(rows::ROWS)?, rows::ALL)?)).unwrap()
}

#[test]
fn rows_beyond_the_cache_are_read_back() {
    const ROWS: u64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let settings = DiskSettings { cache_bytes: 256 << 10, ..DiskSettings::default() };
    let value = |number: u64| [&[number as u8; 400][..], &key(number)].concat();
    for life in 0..2 {
        let stores = DiskStores::open_with(folder.path(), &identity(), &settings).unwrap();
        let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
        if life == 0 {
            for number in 0..ROWS {
                state.write(&[Change::Put(&key(number), &value(number))]).unwrap();
                if number % 2_000 == 1_999 {
                    save_durably(&log, &*state, number);
                    assert_eq!(state.unsaved_bytes(), 0, "none of them is held in memory");
                }
            }
        }
        for number in (0..ROWS).rev() {
            assert_eq!(state.get(&key(number)).unwrap().as_deref(), Some(&*value(number)), "row {number}");
        }
        assert_eq!(state.get(&key(ROWS)).unwrap(), None);
    }
}

#[test]
fn a_table_comes_back_as_the_last_snapshot_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    put(&*state, 0..100, b"saved");
    save(&log, &*state, 1, Box::new(|_| {}));
    put(&*state, 50..150, b"lost");
    // Of the same store, while that is written, and of another life.
    let again = stores.state(GROUP).unwrap();
    let was: Rows = (0..100).map(|number| (key(number).to_vec(), b"saved".to_vec())).collect();
    let holds = |state: &dyn StateStore| {
        for number in 0..150 {
            assert_eq!(state.get(&key(number)).unwrap().as_deref(), was.get(&key(number)[..]).map(Vec::as_slice));
        }
    };
    holds(&*again);
    let snapshot = StoredSnapshot { through: at(9), meta: "meta".into(), head: "head".into() };
    let foreign = log.snapshots().unwrap().save(snapshot, Some(state.freeze().unwrap()), Box::new(|_| {}));
    assert!(foreign.is_err(), "the table that was there before is not saved any more");
    drop((stores, log, state, again));
    let stores = open(folder.path());
    holds(&*stores.state(GROUP).unwrap());
    assert_eq!(saved(&stores.log(GROUP).unwrap()), was);
}

#[test]
fn rows_are_read_and_written_while_a_sync_is_held_up() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    // A file that has to grow is synced while nobody can read it: there is room for what follows.
    for (index, value) in [(1, &[0; 4_000][..]), (2, b"saved")] {
        put(&*state, 0..1_000, value);
        save_durably(&log, &*state, index);
    }
    disk.hold(true);
    put(&*state, 0..10, b"frozen");
    save(&log, &*state, 3, Box::new(|_| {}));
    disk.is_held();
    put(&*state, 0..5, b"new");
    let expected = |number| if number < 5 { "new" } else { "saved" };
    for number in (0..5).chain(10..1_000) {
        assert_eq!(state.get(&key(number)).unwrap().as_deref(), Some(expected(number).as_bytes()));
    }
    assert_eq!(state.get(&key(7)).unwrap().as_deref(), Some(&b"frozen"[..]), "it is on its way to the file");
    assert!(disk.is_waiting(), "all of this took no sync");
    // A moment of the file is one before a write or after it, and not one during it.
    let loading = std::thread::spawn(move || loaded(&log).unwrap().through);
    disk.hold(false);
    assert_eq!(loading.join().unwrap(), at(3));
}

#[test]
fn a_snapshot_does_not_overtake_the_entries_that_it_comprises() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    durable(|done| log.append(entries(1, 0..1), done)).unwrap();
    disk.hold(true);
    log.append(entries(1, 1..2), Box::new(|_| {})).unwrap();
    disk.is_held();
    log.append(entries(1, 2..5), Box::new(|_| {})).unwrap();
    save(&log, &*state, 4, Box::new(|_| {}));
    // The next transaction, and then power is lost.
    disk.pass_one();
    disk.is_held();
    disk.pass_one();
    let lost = disk.without_power(1);
    disk.hold(false);
    drop((stores, log, state));
    let log = lost.open(folder.path()).log(GROUP).unwrap();
    let (last, snapshot) = (log.bounds().unwrap().last.unwrap().index, loaded(&log));
    assert!(last == 4 && snapshot.is_none_or(|snapshot| snapshot.through == at(4)), "{last}");
}

#[test]
fn groups_have_rows_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    for group in [1, 2, 3] {
        let (log, state) = (stores.log(GroupId(group)).unwrap(), stores.state(GroupId(group)).unwrap());
        put(&*state, 0..10, &[group as u8]);
        save(&log, &*state, 1, Box::new(|_| {}));
    }
    drop(stores);
    let stores = open(folder.path());
    for group in [1, 2, 3] {
        let rows = saved(&stores.log(GroupId(group)).unwrap());
        assert!(rows.len() == 10 && rows.values().all(|value| *value == [group as u8]));
    }
}

#[test]
fn a_row_that_is_read_while_the_disk_is_full_comes_when_there_is_room() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    put(&*state, 0..1_000, &[7; 2_000]);
    save_durably(&log, &*state, 1);
    let mut reader = log.snapshots().unwrap().load().unwrap().unwrap().1;
    disk.fill(true);
    put(&*state, 0..1, &[8; 3 << 20]);
    save(&log, &*state, 2, Box::new(|_| {}));
    while !stores.is_full() {
        std::thread::yield_now();
    }
    std::thread::scope(|scope| {
        let rows = scope.spawn(|| (1..1_000).all(|number| state.get(&key(number)).unwrap().is_some()));
        disk.fill(false);
        assert!(rows.join().unwrap());
    });
    // What was being read is of the file that was: it ends with an error, and not too early.
    let read = std::iter::from_fn(|| match reader.read(10_000) {
        Ok(batch) if batch.is_empty() => None,
        other => Some(other.map(|batch| batch.rows())),
    });
    let read: std::io::Result<Vec<u64>> = read.take(1_000).collect();
    assert!(read.is_err() || read.unwrap().iter().sum::<u64>() == 1_000);
}

#[test]
fn a_group_that_was_forgotten_has_no_rows_when_it_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    for round in 0..3 {
        let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
        assert_eq!(state.get(&key(5)).unwrap(), None, "round {round}");
        put(&*state, 0..5_000, &[7; 500]);
        save(&log, &*state, 10, Box::new(|_| {}));
        durable(|done| if round < 2 { stores.forget(GROUP, done) } else { stores.clear(done) }).unwrap();
    }
    assert_eq!(stores.state(GROUP).unwrap().get(&key(5)).unwrap(), None);
    assert_eq!(generations(stores, folder.path()), [], "nothing is left in the file");
}

#[test]
fn a_snapshot_of_a_group_that_is_forgotten_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    for clears in [false, true] {
        let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
        put(&*state, 0..10, b"old");
        durable(|done| if clears { stores.clear(done) } else { stores.forget(GROUP, done) }).unwrap();
        let late = StoredSnapshot { through: at(9), meta: "meta".into(), head: "head".into() };
        let saved = log.snapshots().unwrap().save(late, Some(state.freeze().unwrap()), Box::new(|_| {}));
        assert!(saved.unwrap_err().to_string().contains("forgotten"));
        assert_eq!(loaded(&stores.log(GROUP).unwrap()), None);
    }
}

/// A command of the test's log: the rows that it puts, and those that it deletes.
pub(super) fn command(rng: &mut StdRng, index: u64) -> Vec<(u64, Option<u64>)> {
    let rows = 0..rng.random_range(1..20);
    rows.map(|_| (rng.random_range(0..200), rng.random_bool(0.8).then_some(index))).collect()
}

/// Applies a command to a table, and to what it should be.
pub(super) fn apply(command: &[(u64, Option<u64>)], state: Option<&dyn StateStore>, model: &mut Rows) {
    for (number, value) in command {
        let (key, value) = (key(*number), value.map(|value| value.to_le_bytes().repeat(40)));
        if let Some(state) = state {
            state.write(&[value.as_ref().map_or(Change::Delete(&key), |value| Change::Put(&key, value))]).unwrap();
        }
        match value {
            Some(value) => drop(model.insert(key.to_vec(), value)),
            None => drop(model.remove(&key[..])),
        }
    }
}

#[test]
fn after_a_loss_of_power_the_last_snapshot_and_the_log_behind_it_make_the_state() {
    let (mut behind, mut replayed) = (0, 0);
    for seed in 0..60 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let stores = disk.open(folder.path());
        let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
        let (mut commands, mut model) = (Vec::new(), Rows::new());
        // The number of entries that are durable, and of those that a durable snapshot comprises.
        let (appended, comprised) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let tells = |counter: &Arc<AtomicU64>, count: u64| -> Flushed {
            let counter = counter.clone();
            Box::new(move |result| {
                assert!(result.is_ok());
                counter.fetch_max(count, SeqCst);
            })
        };
        let mut held = false;
        for index in 0..rng.random_range(5..80) {
            // The power goes while a sync is held up, or a little later.
            if rng.random_bool(0.03) {
                held = true;
                disk.hold(true);
            }
            let command = command(&mut rng, index);
            let entry = LogEntry { at: at(index), payload: Payload::Command(index.to_string().into()) };
            log.append(vec![entry], tells(&appended, index + 1)).unwrap();
            apply(&command, Some(&*state), &mut model);
            commands.push(command);
            match rng.random_range(0..8) {
                0 => save(&log, &*state, index, tells(&comprised, index + 1)),
                1 => {
                    if let Some(through) = comprised.load(SeqCst).checked_sub(1) {
                        log.purge(at(through)).unwrap();
                    }
                }
                // A file that grows is synced while nobody can read it.
                2 if !held => {
                    let number = rng.random_range(0..200);
                    let row = state.get(&key(number)).unwrap();
                    assert_eq!(row.as_deref(), model.get(&key(number)[..]).map(Vec::as_slice), "seed {seed}");
                }
                3 if !held => {
                    let vote = Vote { term: index, node: 1, committed: false };
                    durable(|done| log.save_vote(vote, done)).unwrap();
                }
                _ => {}
            }
        }
        let (appended, comprised) = (appended.load(SeqCst), comprised.load(SeqCst));
        let lost = disk.without_power(seed);
        disk.hold(false);
        drop((state, log, stores));
        let stores = lost.open(folder.path());
        let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
        let through = loaded(&log).map_or(0, |snapshot| snapshot.through.index + 1);
        let entries = log.read(through..u64::MAX, u64::MAX).unwrap();
        let length = through + entries.len() as u64;
        assert!(through >= comprised && length >= appended, "seed {seed}: {through} {length}");
        let last = log.bounds().unwrap().last.map_or(0, |last| last.index + 1);
        assert!(last >= through, "seed {seed}: the snapshot is ahead of the log");
        assert_eq!(entries.first().map_or(through, |entry| entry.at.index), through, "seed {seed}: no hole");
        let mut then = Rows::new();
        commands[..through as usize].iter().for_each(|command| apply(command, None, &mut then));
        assert_eq!(saved(&log), then, "seed {seed}: the rows are those of entry {through}");
        commands[through as usize..length as usize].iter().for_each(|command| apply(command, Some(&*state), &mut then));
        for number in 0..200 {
            let row = state.get(&key(number)).unwrap();
            assert_eq!(row.as_deref(), then.get(&key(number)[..]).map(Vec::as_slice), "seed {seed}: row {number}");
        }
        behind += usize::from(length < commands.len() as u64);
        replayed += usize::from(length > through && through > 0);
    }
    assert!(behind > 5 && replayed > 5, "in {behind} runs something was lost, in {replayed} replayed");
}
