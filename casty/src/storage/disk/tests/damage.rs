//! Bytes that change in a file that was closed in order.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::FutureExt;
use redb::{Database, ReadableTable, WriteTransaction};

use super::super::file::FILE;
use super::super::tables::{FORGOTTEN, PURGED, SNAPSHOTS, VOTES};
use super::{GROUP, identity, open};
use crate::base::GroupId;
use crate::storage::suite::durable;
use crate::storage::{
    Change, DiskStores, LogBounds, LogEntry, LogPosition, Payload, StoreError, StoredSnapshot, Stores, Vote,
};

/// All that a store has.
#[derive(Debug, PartialEq)]
struct Everything {
    record: Option<Bytes>,
    bounds: LogBounds,
    vote: Option<Vote>,
    entries: Vec<LogEntry>,
    snapshot: Option<StoredSnapshot>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    read: Vec<Option<Bytes>>,
}

/// What is in a value, so that it is found in the file.
fn mark(kind: u8) -> [u8; 8] {
    [kind, 0xa7, 0x5b, 0xc3, 0x91, 0xd6, 0x3e, 0x7a]
}

fn number(kind: u8) -> u64 {
    u64::from_le_bytes(mark(kind))
}

fn value(kind: u8, bytes: usize) -> Vec<u8> {
    [&vec![kind; bytes][..], &mark(kind), &vec![kind; bytes]].concat()
}

const ROWS: u8 = 200;

/// A group whose log was removed.
const FORGOTTEN_GROUP: GroupId = GroupId(GROUP.0 + 7);

fn fill(folder: &Path) {
    let stores = open(folder);
    let entry = LogEntry { at: LogPosition { term: 1, index: 0 }, payload: Payload::Blank };
    durable(|done| stores.log(FORGOTTEN_GROUP).unwrap().append(vec![entry], done)).unwrap();
    durable(|done| stores.forget(FORGOTTEN_GROUP, done)).unwrap();
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    durable(|done| stores.save_record(value(1, 20).into(), done)).unwrap();
    let at = |index| LogPosition { term: number(2), index };
    let entry = |index| LogEntry { at: at(index), payload: Payload::Command(value(3, 50).into()) };
    durable(|done| log.append((0..9).map(entry).collect(), done)).unwrap();
    let vote = Vote { term: number(4), node: number(5), committed: true };
    durable(|done| log.save_vote(vote, done)).unwrap();
    let rows: Vec<_> = (0..ROWS).map(|key| ([key; 9], value(6, 100))).collect();
    state.write(&rows.iter().map(|(key, value)| Change::Put(key, value)).collect::<Vec<_>>()).unwrap();
    let through = LogPosition { term: number(7), index: 5 };
    // Of several parts.
    let snapshot = StoredSnapshot { through, meta: value(8, 20).into(), head: value(9, 1_500_000).into() };
    let rows = state.freeze().unwrap();
    durable(|done| log.snapshots().unwrap().save(snapshot, Some(rows), done)).unwrap();
    log.purge(LogPosition { term: number(10), index: 3 }).unwrap();
}

fn read(stores: &DiskStores) -> io::Result<Everything> {
    let (log, state) = (stores.log(GROUP)?, stores.state(GROUP)?);
    let (snapshot, mut reader) = log.snapshots().unwrap().load()?.unzip();
    let mut rows = Vec::new();
    while let Some(batch) = reader.as_mut().map(|reader| reader.read(1_000)).transpose()?.filter(|it| !it.is_empty()) {
        rows.extend(batch.iter().map(|(key, value)| (key.to_vec(), value.to_vec())));
    }
    Ok(Everything {
        record: stores.record()?,
        bounds: log.bounds()?,
        vote: log.vote()?,
        entries: log.read(0..u64::MAX, u64::MAX)?,
        snapshot,
        rows,
        read: (0..ROWS).map(|key| state.get(&[key; 9])).collect::<io::Result<_>>()?,
    })
}

/// Says which file is damaged, and what to do.
fn names_the_file(why: &StoreError) {
    assert!(matches!(why, StoreError::Corrupted { .. }), "{why:?}");
    let said = why.to_string();
    assert!(said.contains(FILE) && said.contains("move its folder away"), "{said}");
}

/// Where a mark is in the file.
fn found(bytes: &[u8], kind: u8) -> Vec<usize> {
    (0..bytes.len() - 8).filter(|at| bytes[*at..].starts_with(&mark(kind))).collect()
}

#[test]
fn a_value_that_has_changed_is_an_error_from_then_on_and_never_a_wrong_value() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let bytes = fs::read(folder.path().join(FILE)).unwrap();
    let whole = read(&open(folder.path())).unwrap();
    for kind in 1..=10 {
        let mut seen = 0;
        // Some are left of pages that are not used any more. There are hundreds of rows.
        for at in found(&bytes, kind).into_iter().step_by(if kind == 6 { 7 } else { 1 }) {
            let (folder, mut changed) = (tempfile::tempdir().unwrap(), bytes.clone());
            changed[at + 3] ^= 1;
            fs::write(folder.path().join(FILE), changed).unwrap();
            let stores = match DiskStores::open(folder.path(), &identity()) {
                Ok(stores) => stores,
                Err(why) => {
                    names_the_file(&why);
                    seen += 1;
                    continue;
                }
            };
            let log = stores.log(GROUP);
            match read(&stores) {
                Ok(everything) => assert_eq!(everything, whole, "kind {kind} at {at}"),
                Err(why) => {
                    seen += 1;
                    let again = log.and_then(|log| log.append(Vec::new(), Box::new(|_| {}))).unwrap_err();
                    let failed = stores.failure().now_or_never().expect("it has failed");
                    for why in [why, again, stores.record().unwrap_err(), failed] {
                        names_the_file(why.get_ref().unwrap().downcast_ref().unwrap());
                    }
                }
            }
        }
        assert!(seen > 0, "kind {kind} is in the file, and looked at");
    }
}

/// What happens to a file.
type Damage = fn(&WriteTransaction);

/// It would count as never written.
#[test]
fn what_a_group_has_once_is_missed_at_the_opening_if_its_key_has_changed() {
    const OTHER: u16 = GROUP.0 + 1;
    let damages: [(&str, Damage); 4] = [
        ("the vote in", |write| {
            let mut votes = write.open_table(VOTES).unwrap();
            let vote = votes.remove(GROUP.0).unwrap().unwrap().value();
            votes.insert(OTHER, vote).unwrap();
        }),
        ("the beginning of the log of", |write| {
            let mut purged = write.open_table(PURGED).unwrap();
            let position = purged.remove(GROUP.0).unwrap().unwrap().value();
            purged.insert(OTHER, position).unwrap();
        }),
        ("the end of the log of", |write| {
            let mut forgotten = write.open_table(FORGOTTEN).unwrap();
            let position = forgotten.remove(FORGOTTEN_GROUP.0).unwrap().unwrap().value();
            forgotten.insert(OTHER, position).unwrap();
        }),
        ("the snapshot of", |write| {
            let mut snapshots = write.open_table(SNAPSHOTS).unwrap();
            let (checksum, term, index, generation, bytes, meta) = {
                let snapshot = snapshots.get(GROUP.0).unwrap().unwrap();
                let (checksum, term, index, generation, bytes, meta) = snapshot.value();
                (checksum, term, index, generation, bytes, meta.to_vec())
            };
            snapshots.remove(GROUP.0).unwrap();
            snapshots.insert(OTHER, (checksum, term, index, generation, bytes, &*meta)).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let file = Database::open(folder.path().join(FILE)).unwrap();
        let write = file.begin_write().unwrap();
        damage(&write);
        write.commit().unwrap();
        drop(file);
        let why = DiskStores::open(folder.path(), &identity()).err().expect("it is damaged");
        names_the_file(&why);
        assert!(why.to_string().contains(&format!("{what} group {OTHER}")), "{why}");
    }
}

#[test]
fn a_row_that_has_changed_is_not_given_to_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let mut bytes = fs::read(folder.path().join(FILE)).unwrap();
    for at in found(&bytes, 6) {
        bytes[at] ^= 0x80;
    }
    fs::write(folder.path().join(FILE), bytes).unwrap();
    let stores = open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    assert_eq!(state.get(b"another").unwrap(), None, "nothing was noticed so far");
    let why = state.get(&[7; 9]).unwrap_err();
    assert!(why.to_string().contains("the row") && why.to_string().contains("of group 1"), "{why}");
    assert!(log.bounds().is_err() && state.get(b"another").is_err(), "the store is not used any more");
}
