//! What was stored is there when the store is opened again.

use bytes::Bytes;

use super::{GROUP, at, loaded, open, snapshot};
use crate::base::GroupId;
use crate::storage::suite::{durable, entries};
use crate::storage::{LogBounds, Payload, Stores, Vote};

#[test]
fn a_log_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = entries(1, 0..300);
    all[7].payload = Payload::Membership(Bytes::from_static(b"voters"));
    all[8].payload = Payload::Blank;
    let vote = Vote { term: 9, node: 7, committed: true };
    {
        let stores = open(folder.path());
        let (log, other) = (stores.log(GROUP).unwrap(), stores.log(GroupId(2)).unwrap());
        durable(|done| log.append(all.clone(), done)).unwrap();
        durable(|done| log.save_vote(vote, done)).unwrap();
        durable(|done| other.append(entries(5, 0..3), done)).unwrap();
    }
    let stores = open(folder.path());
    let log = stores.log(GROUP).unwrap();
    assert_eq!(log.read(0..u64::MAX, u64::MAX).unwrap(), all);
    assert_eq!(log.vote().unwrap(), Some(vote));
    let other = stores.log(GroupId(2)).unwrap();
    assert_eq!(other.read(0..u64::MAX, u64::MAX).unwrap(), entries(5, 0..3), "groups have logs of their own");
    assert_eq!(stores.log(GroupId(3)).unwrap().bounds().unwrap(), LogBounds::default());
}

#[test]
fn what_was_removed_stays_away_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let log = open(folder.path()).log(GROUP).unwrap();
        durable(|done| log.append(entries(1, 0..100), done)).unwrap();
        log.purge(at(39)).unwrap();
        log.truncate_after(Some(59)).unwrap();
        durable(|done| log.append(entries(2, 60..63), done)).unwrap();
    }
    let log = open(folder.path()).log(GROUP).unwrap();
    let mut left = entries(1, 40..60);
    left.extend(entries(2, 60..63));
    assert_eq!(log.read(0..u64::MAX, u64::MAX).unwrap(), left);
    assert_eq!(log.bounds().unwrap(), LogBounds { purged: Some(at(39)), last: Some(left[22].at) });
    // A snapshot took the place of entries that never came.
    log.purge(at(1_000)).unwrap();
    drop(log);
    let log = open(folder.path()).log(GROUP).unwrap();
    assert_eq!(log.bounds().unwrap(), LogBounds { purged: Some(at(1_000)), last: Some(at(1_000)) });
    durable(|done| log.append(entries(1, 1_001..1_002), done)).unwrap();
}

#[test]
fn what_is_queued_is_written_when_the_store_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    {
        let log = open(folder.path()).log(GROUP).unwrap();
        for index in 0..100 {
            log.append(entries(1, index..index + 1), Box::new(|_| {})).unwrap();
        }
    }
    assert_eq!(open(folder.path()).log(GROUP).unwrap().bounds().unwrap().last, Some(at(99)));
}

#[test]
fn the_last_snapshot_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let load = || loaded(&open(folder.path()).log(GROUP).unwrap());
    assert_eq!(load(), None);
    // Of several parts, of one, of none.
    for (index, bytes) in [(10, 3_000_000), (20, 100), (30, 0), (40, 2_000_000)] {
        let store = open(folder.path()).log(GROUP).unwrap().snapshots().unwrap();
        durable(|done| store.save(snapshot(index, bytes), None, done)).unwrap();
        drop(store);
        assert_eq!(load(), Some(snapshot(index, bytes)));
    }
}

#[test]
fn an_older_snapshot_does_not_replace_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    for _life in 0..2 {
        let log = open(folder.path()).log(GROUP).unwrap();
        for index in [500, 100] {
            durable(|done| log.snapshots().unwrap().save(snapshot(index, 10), None, done)).unwrap();
            assert_eq!(loaded(&log), Some(snapshot(500, 10)));
        }
    }
}

#[test]
fn of_a_group_that_is_forgotten_the_vote_and_the_end_of_its_log_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let (other, vote) = (GroupId(3), Vote { term: 4, node: 2, committed: true });
    for group in [GROUP, other] {
        let stores = open(folder.path());
        let log = stores.log(group).unwrap();
        durable(|done| log.append(entries(1, 0..9), done)).unwrap();
        durable(|done| log.save_vote(vote, done)).unwrap();
        durable(|done| log.snapshots().unwrap().save(snapshot(5, 10), None, done)).unwrap();
        log.purge(at(5)).unwrap();
    }
    let stores = open(folder.path());
    assert_eq!(stores.groups().unwrap(), [GROUP, other]);
    let held = stores.log(GROUP).unwrap();
    durable(|done| stores.forget(GROUP, done)).unwrap();
    drop(held);
    let mut left = Some(stores);
    for _life in 0..2 {
        let stores = left.take().unwrap_or_else(|| open(folder.path()));
        let log = stores.log(GROUP).unwrap();
        assert_eq!((log.bounds().unwrap(), log.vote().unwrap()), (LogBounds::default(), Some(vote)));
        assert_eq!(log.forgotten().unwrap(), Some(at(8)));
        assert_eq!(loaded(&log), None);
        assert_eq!(stores.groups().unwrap(), [other]);
        assert_eq!(stores.log(other).unwrap().bounds().unwrap().last, Some(at(8)));
    }
    // The next one ends earlier, or later, or behind a snapshot.
    for (index, last) in [(2, at(8)), (11, at(11)), (20, at(20))] {
        let stores = open(folder.path());
        let log = stores.log(GROUP).unwrap();
        durable(|done| log.append(entries(1, 0..index + 1), done)).unwrap();
        if index == 20 {
            durable(|done| log.snapshots().unwrap().save(snapshot(20, 10), None, done)).unwrap();
            log.purge(at(20)).unwrap();
        }
        drop(log);
        durable(|done| stores.forget(GROUP, done)).unwrap();
        assert_eq!(stores.log(GROUP).unwrap().forgotten().unwrap(), Some(last));
    }
    let stores = open(folder.path());
    durable(|done| stores.clear(done)).unwrap();
    assert_eq!(stores.log(GROUP).unwrap().forgotten().unwrap(), None);
}

#[test]
fn a_store_that_is_cleared_is_as_new_and_its_owners_still() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let log = stores.log(GROUP).unwrap();
    durable(|done| log.append(entries(1, 0..9), done)).unwrap();
    durable(|done| log.save_vote(Vote { term: 4, node: 2, committed: true }, done)).unwrap();
    durable(|done| log.snapshots().unwrap().save(snapshot(5, 10), None, done)).unwrap();
    durable(|done| stores.save_record("founded".into(), done)).unwrap();
    durable(|done| stores.clear(done)).unwrap();
    drop((log, stores));
    let stores = open(folder.path());
    let log = stores.log(GROUP).unwrap();
    assert_eq!((log.bounds().unwrap(), log.vote().unwrap()), (LogBounds::default(), None));
    assert_eq!(loaded(&log), None);
    assert_eq!((stores.groups().unwrap(), stores.record().unwrap()), (Vec::new(), None));
}

#[tokio::test]
async fn who_closes_a_store_frees_its_folder_and_everything_fails_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let log = stores.log(GROUP).unwrap();
    log.append(entries(1, 0..9), Box::new(|_| {})).unwrap();
    stores.close().await;
    let again = open(folder.path());
    assert_eq!(again.log(GROUP).unwrap().bounds().unwrap().last, Some(at(8)), "what was queued is there");
    assert!(log.append(entries(1, 9..10), Box::new(|_| {})).is_err());
    assert!(stores.log(GroupId(2)).is_err() && stores.save_record("late".into(), Box::new(|_| {})).is_err());
}

#[test]
fn the_record_of_the_node_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(folder.path()).record().unwrap(), None);
    for record in ["promised", "founded"].map(Bytes::from) {
        let stores = open(folder.path());
        durable(|done| stores.save_record(record.clone(), done)).unwrap();
        assert_eq!(stores.record().unwrap(), Some(record.clone()));
        drop(stores);
        assert_eq!(open(folder.path()).record().unwrap(), Some(record));
    }
}
