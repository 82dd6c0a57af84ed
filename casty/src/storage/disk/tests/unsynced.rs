//! Files that are not synced at every commit.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use super::super::file::FILE;
use super::super::unsynced::{Failed, GIVEN_UP, Later, MARK, Mark};
use super::{identity, open};
use crate::storage::suite::durable;
use crate::storage::{DiskSettings, DiskStores, Fsync, Stores};

const MODES: [Fsync; 2] = [Fsync::Never, Fsync::Interval(Duration::from_millis(1))];

fn open_with(folder: &Path, fsync: Fsync) -> DiskStores {
    DiskStores::open_with(folder, &identity(), &DiskSettings { fsync, ..DiskSettings::default() }).unwrap()
}

/// The folder as the next process finds it if the present one is killed now.
fn killed(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

fn save(stores: &DiskStores, record: &'static str) {
    durable(|done| stores.save_record(Bytes::from(record), done)).unwrap();
}

#[test]
fn what_counts_as_stored_outlives_the_process_whenever_it_is_synced() {
    for fsync in MODES {
        let folder = tempfile::tempdir().unwrap();
        let stores = open_with(folder.path(), fsync);
        save(&stores, "stored");
        let killed = killed(folder.path());
        let again = open_with(killed.path(), fsync);
        assert_eq!((again.record().unwrap(), again.has_lost()), (Some("stored".into()), false));
    }
}

#[test]
fn a_file_that_was_not_synced_is_given_up_when_the_machine_has_stopped() {
    for fsync in MODES {
        let folder = tempfile::tempdir().unwrap();
        let stores = open_with(folder.path(), fsync);
        save(&stores, "stored");
        let stopped = killed(folder.path());
        fs::write(stopped.path().join(MARK), "an earlier start of the machine").unwrap();
        let again = open(stopped.path());
        assert_eq!((again.record().unwrap(), again.has_lost()), (None, true));
        assert!(stopped.path().join(format!("{GIVEN_UP}-1")).exists(), "nothing is removed");
        drop(again);
        assert!(open(stopped.path()).has_lost(), "it is known until something was stored since");
        save(&open(stopped.path()), "new");
        assert!(!open(stopped.path()).has_lost());
    }
}

#[test]
fn an_orderly_stop_syncs() {
    for fsync in MODES {
        let folder = tempfile::tempdir().unwrap();
        let stores = open_with(folder.path(), fsync);
        assert!(folder.path().join(MARK).exists());
        save(&stores, "stored");
        drop(stores);
        assert!(!folder.path().join(MARK).exists() && folder.path().join(FILE).exists());
        assert_eq!(open(folder.path()).record().unwrap(), Some("stored".into()));
        assert!(!folder.path().join(MARK).exists(), "each commit is synced");
    }
}

#[test]
fn a_file_of_which_a_sync_has_failed_is_given_up_though_it_was_closed_in_order() {
    let folder = tempfile::tempdir().unwrap();
    save(&open(folder.path()), "stored");
    let mark = Mark::set(folder.path()).unwrap();
    let failed = File::options().write(true).open("/dev/null").unwrap();
    let later = Later::start(failed, Duration::from_millis(1), mark.failed()).unwrap();
    while later.wish().is_ok() {
        std::thread::yield_now();
    }
    drop(mark);
    let again = open(folder.path());
    assert_eq!((again.record().unwrap(), again.has_lost()), (None, true));
}

#[test]
fn a_sync_that_fails_later_fails_the_store() {
    // It can be written, and not synced.
    let file = File::options().write(true).open("/dev/null").unwrap();
    let later = Later::start(file, Duration::from_millis(1), Failed::default()).unwrap();
    let failed = |later: &Arc<Later>| -> io::Error {
        loop {
            if let Err(error) = later.wish() {
                return error;
            }
            std::thread::yield_now();
        }
    };
    assert!(failed(&later).to_string().contains("could not be synced"));
}
