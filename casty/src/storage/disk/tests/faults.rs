//! Slow disks, broken disks, and power that is lost.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::disk::FaultyDisk;
use super::{GROUP, at, loaded, snapshot};
use crate::base::GroupId;
use crate::storage::suite::{durable, entries};
use crate::storage::{Change, LogBounds, LogEntry, LogStore, RowBatch, StoredSnapshot, Stores, Vote};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn nothing_is_acknowledged_before_it_is_synced_and_can_be_read_meanwhile() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let log = stores.log(GROUP).unwrap();
    disk.hold(true);
    let (tell, told) = channel();
    let vote = Vote { term: 1, node: 2, committed: false };
    let tells = || {
        let tell = tell.clone();
        Box::new(move |result: std::io::Result<()>| tell.send(result.is_ok()).unwrap())
    };
    log.append(entries(1, 0..3), tells()).unwrap();
    disk.is_held();
    log.save_vote(vote, tells()).unwrap();
    assert_eq!(log.read(0..9, u64::MAX).unwrap(), entries(1, 0..3));
    assert_eq!(log.vote().unwrap(), Some(vote));
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    disk.hold(false);
    for _ in 0..2 {
        assert_eq!(told.recv_timeout(SOON), Ok(true));
    }
}

#[test]
fn what_has_come_together_costs_one_sync() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let logs: Vec<_> = (0..10).map(|group| stores.log(GroupId(group)).unwrap()).collect();
    disk.hold(true);
    logs[0].append(entries(1, 0..1), Box::new(|_| {})).unwrap();
    disk.is_held();
    let (tell, told) = channel();
    for log in &logs[1..] {
        for index in 0..20 {
            let tell = tell.clone();
            log.append(entries(1, index..index + 1), Box::new(move |result| tell.send(result).unwrap())).unwrap();
        }
    }
    let before = disk.syncs();
    disk.hold(false);
    for _ in 0..180 {
        told.recv_timeout(SOON).unwrap().unwrap();
    }
    assert_eq!(disk.syncs(), before + 2, "one for the first entry, one for all others");
}

#[test]
fn after_a_read_that_failed_nothing_is_read_or_acknowledged() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    // More than the cache holds.
    for key in 0..100_u8 {
        state.write(&[Change::Put(&[key], &[key; 100_000])]).unwrap();
    }
    let rows = state.freeze().unwrap();
    durable(|done| log.snapshots().unwrap().save(snapshot(1, 1), Some(rows), done)).unwrap();
    disk.fail_reads();
    let read = (0..100_u8).map(|key| state.get(&[key])).collect::<std::io::Result<Vec<_>>>().unwrap_err();
    let written = durable(|done| log.append(entries(1, 2..3), done)).unwrap_err();
    let failed = stores.failure().now_or_never().expect("it has failed");
    for error in [read, written, failed] {
        let said = error.to_string();
        assert!(said.contains("casty.redb") && said.contains("the disk cannot be read"), "{said}");
    }
}

#[test]
fn after_a_write_that_failed_nothing_is_acknowledged_and_every_call_names_the_file() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let (log, other) = (stores.log(GROUP).unwrap(), stores.log(GroupId(2)).unwrap());
    let state = stores.state(GROUP).unwrap();
    let mut staged = state.stage().unwrap();
    durable(|done| log.append(entries(1, 0..3), done)).unwrap();
    assert!(stores.failure().now_or_never().is_none());
    disk.fail();
    let failed = durable(|done| log.append(entries(1, 3..5), done)).unwrap_err();
    let errors = [
        failed,
        durable(|done| other.append(entries(1, 0..1), done)).unwrap_err(),
        durable(|done| other.save_vote(Vote { term: 1, node: 1, committed: false }, done)).unwrap_err(),
        durable(|done| log.snapshots().unwrap().save(snapshot(1, 1), None, done)).unwrap_err(),
        durable(|done| stores.save_record("record".into(), done)).unwrap_err(),
        log.snapshots().unwrap().load().err().unwrap(),
        log.bounds().unwrap_err(),
        log.read(0..9, u64::MAX).unwrap_err(),
        log.vote().unwrap_err(),
        log.truncate_after(None).unwrap_err(),
        log.purge(at(2)).unwrap_err(),
        stores.record().unwrap_err(),
        stores.log(GroupId(3)).err().unwrap(),
        state.get(b"a").unwrap_err(),
        state.write(&[Change::Put(b"a", b"1")]).unwrap_err(),
        state.freeze().err().unwrap(),
        state.stage().err().unwrap(),
        durable(|done| staged.put(RowBatch::default(), done)).unwrap_err(),
        staged.adopt().unwrap_err(),
        stores.failure().now_or_never().expect("it has failed"),
    ];
    for error in errors {
        let said = error.to_string();
        assert!(said.contains("casty.redb") && said.contains("the disk is broken"), "{said}");
    }
    let mended = disk.without_power(1);
    drop((stores, log, other, state));
    let log = mended.open(folder.path()).log(GROUP).unwrap();
    assert_eq!(log.read(0..3, u64::MAX).unwrap(), entries(1, 0..3), "what was acknowledged is there");
}

/// All that a group has, but for its snapshot.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    bounds: LogBounds,
    entries: Vec<LogEntry>,
    vote: Option<Vote>,
}

impl Held {
    fn by(log: &Arc<dyn LogStore>) -> Self {
        let entries = log.read(0..u64::MAX, u64::MAX).unwrap();
        Self { bounds: log.bounds().unwrap(), entries, vote: log.vote().unwrap() }
    }
}

#[test]
fn after_a_loss_of_power_the_store_is_at_a_moment_after_the_last_acknowledgement() {
    let mut behind = 0;
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let stores = disk.open(folder.path());
        let log = stores.log(GROUP).unwrap();
        let (mut moments, mut saved) = (vec![Held::by(&log)], Vec::new());
        let durable = Arc::new(AtomicU64::new(0));
        let (tell, told) = channel();
        for step in 0..rng.random_range(1..40) {
            // The power goes while a sync is held up, or a little later.
            if rng.random_bool(0.1) {
                disk.hold(true);
            }
            let number = moments.len();
            let tell = tell.clone();
            let done = Box::new(move |result: std::io::Result<()>| tell.send((number, result.is_ok())).unwrap());
            let bounds = log.bounds().unwrap();
            let next = bounds.last.map_or(0, |last| last.index + 1);
            match rng.random_range(0..6) {
                0 => log.save_vote(Vote { term: step, node: 1, committed: false }, done).unwrap(),
                1 if next > 0 => {
                    // What a snapshot comprises is committed.
                    let comprised = saved.last().map(|saved: &StoredSnapshot| saved.through);
                    let first = bounds.purged.max(comprised).map_or(0, |last| last.index + 1);
                    log.truncate_after(rng.random_range(first..=next).checked_sub(1)).unwrap();
                }
                2 if next > 0 => {
                    let through = next - 1;
                    let bytes = rng.random_range(0..2_500_000);
                    let told = durable.clone();
                    let done = Box::new(move |result: std::io::Result<()>| {
                        assert!(result.is_ok());
                        told.fetch_max(through + 1, SeqCst);
                    });
                    log.snapshots().unwrap().save(snapshot(through, bytes), None, done).unwrap();
                    if saved.last().is_none_or(|saved: &StoredSnapshot| saved.through.index < through) {
                        saved.push(snapshot(through, bytes));
                    }
                }
                3 => {
                    // What is durable may be purged.
                    if let Some(through) = durable.load(SeqCst).checked_sub(1) {
                        log.purge(at(through)).unwrap();
                    }
                }
                _ => log.append(entries(1, next..next + rng.random_range(1..30)), done).unwrap(),
            }
            moments.push(Held::by(&log));
            if !rng.random_bool(0.3) {
                // Some work comes together, some alone.
                std::thread::yield_now();
            }
        }
        let acknowledged = std::iter::from_fn(|| told.try_recv().ok()).map(|(number, ok)| {
            assert!(ok);
            number
        });
        // In this order: what is acknowledged after the power is gone need not be there.
        let (acknowledged, durable) = (acknowledged.max().unwrap_or(0), durable.load(SeqCst));
        let lost = disk.without_power(seed);
        disk.hold(false);
        drop((log, stores));
        let log = lost.open(folder.path()).log(GROUP).unwrap();
        let (left, snapshot) = (Held::by(&log), loaded(&log));
        let moment = moments.iter().rposition(|moment| *moment == left);
        let moment = moment.unwrap_or_else(|| panic!("seed {seed}: at no moment there was this: {:?}", left.bounds));
        assert!(moment >= acknowledged, "seed {seed}: moment {moment}, acknowledged {acknowledged}");
        behind += usize::from(moment + 1 < moments.len());
        // Of snapshots, too, but that one may come later than the log.
        let through = snapshot.as_ref().map_or(0, |snapshot| snapshot.through.index + 1);
        assert!(through >= durable, "seed {seed}");
        assert!(snapshot.is_none_or(|snapshot| saved.contains(&snapshot)), "seed {seed}: a snapshot is whole");
        assert!(left.bounds.purged.is_none_or(|purged| purged.index < through), "seed {seed}: the state is missing");
        assert!(left.bounds.last.map_or(0, |last| last.index + 1) >= through, "seed {seed}: it is ahead of the log");
    }
    assert!(behind > 10, "in {behind} runs something was lost");
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_until_there_is_room_and_everything_then() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let stores = disk.open(folder.path());
    let log = stores.log(GROUP).unwrap();
    durable(|done| log.append(entries(1, 0..3), done)).unwrap();
    for round in 0..3 {
        assert!(!stores.is_full() && !log.is_full());
        disk.fill(true);
        let (tell, told) = channel();
        let first = 3 + round * 20_000;
        for index in first..first + 20_000 {
            let tell = tell.clone();
            log.append(entries(1, index..index + 1), Box::new(move |result| tell.send(result).unwrap())).unwrap();
        }
        let begun = Instant::now();
        while !log.is_full() {
            assert!(begun.elapsed() < SOON, "it is not said that the disk is full");
            std::thread::yield_now();
        }
        assert!(stores.is_full());
        assert_eq!(log.read(first..first + 1, u64::MAX).unwrap().len(), 1, "reads are served");
        assert!(told.try_recv().is_err());
        disk.fill(false);
        for _ in 0..20_000 {
            told.recv_timeout(SOON).unwrap().unwrap();
        }
    }
    drop((log, stores));
    let log = disk.open(folder.path()).log(GROUP).unwrap();
    assert_eq!(log.read(0..u64::MAX, u64::MAX).unwrap(), entries(1, 0..60_003));
}
