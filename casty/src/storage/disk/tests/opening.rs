//! Who may open a store, and which.

use std::fs::{self, OpenOptions};

use super::super::file::FILE;
use super::{GROUP, identity, open};
use crate::storage::suite::{durable, entries};
use crate::storage::{DiskStores, Identity, StoreError, Stores};

#[test]
fn a_folder_that_is_in_use_is_refused_and_the_error_names_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let Err(refused) = DiskStores::open(folder.path(), &identity()) else { panic!("opened twice") };
    assert!(
        matches!(refused, StoreError::Locked { holder: Some(pid), .. } if pid == std::process::id()),
        "{refused:?}"
    );
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    // A log keeps the store open.
    let log = first.log(GROUP).unwrap();
    drop(first);
    assert!(DiskStores::open(folder.path(), &identity()).is_err());
    drop(log);
    open(folder.path());
}

#[test]
fn another_nodes_store_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    durable(|done| open(folder.path()).log(GROUP).unwrap().append(entries(1, 0..3), done)).unwrap();
    let other = Identity { node: "node-2".into(), ..identity() };
    let Err(refused) = DiskStores::open(folder.path(), &other) else { panic!("opened") };
    assert!(matches!(refused, StoreError::OtherNode { .. }), "{refused:?}");
    assert!(refused.to_string().contains("node-1") && refused.to_string().contains("node-2"), "{refused}");
    let other = Identity { cluster: "bank".to_owned(), ..identity() };
    let Err(refused) = DiskStores::open(folder.path(), &other) else { panic!("opened") };
    assert!(matches!(refused, StoreError::OtherCluster { .. }), "{refused:?}");
    assert!(refused.to_string().contains("shop") && refused.to_string().contains("bank"), "{refused}");
    let log = open(folder.path()).log(GROUP).unwrap();
    assert_eq!(log.read(0..9, u64::MAX).unwrap(), entries(1, 0..3));
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    for bytes in [b"not a store".repeat(1_000), vec![0; 100_000], b"short".to_vec()] {
        fs::write(&file, &bytes).unwrap();
        let Err(refused) = DiskStores::open(folder.path(), &identity()) else { panic!("opened") };
        assert!(matches!(refused, StoreError::Corrupted { .. }), "{refused:?}");
        assert!(refused.to_string().contains(FILE), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
}

#[test]
fn a_file_whose_end_is_missing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    durable(|done| open(folder.path()).log(GROUP).unwrap().append(entries(1, 0..5_000), done)).unwrap();
    let file = folder.path().join(FILE);
    let whole = fs::metadata(&file).unwrap().len();
    OpenOptions::new().write(true).open(&file).unwrap().set_len(whole / 3).unwrap();
    let opened = DiskStores::open(folder.path(), &identity()).map(|stores| stores.log(GROUP).map(drop));
    assert!(matches!(opened, Err(StoreError::Corrupted { .. })), "{opened:?}");
}
