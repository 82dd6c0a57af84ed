//! How long a node takes to have its entities again.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use casty::GroupId;
use casty::storage::{Change, LogStore, StateStore, Stores};

use super::{open, save, wait};

pub(super) const ROWS: u64 = 1_000_000;

pub(super) fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Puts all rows.
pub(super) fn put(log: &dyn LogStore, state: &dyn StateStore) {
    let begun = Instant::now();
    for number in 0..ROWS {
        state.write(&[Change::Put(&key(number), &[number as u8; 100])]).unwrap();
        if state.unsaved_bytes() >= 2 << 20 || number + 1 == ROWS {
            wait(|done| save(log, state, number, done));
        }
    }
    println!("{ROWS} rows of 100 bytes are written in {:.1?}", begun.elapsed());
}

/// Another process: it writes all rows, and does not end.
pub(super) fn fill(folder: &Path) {
    let stores = open(folder, "node");
    put(&*stores.log(GroupId(1)).unwrap(), &*stores.state(GroupId(1)).unwrap());
    println!("done");
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

pub(super) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    let mut process = command.arg("fill").arg(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    while lines.next().unwrap().unwrap() != "done" {}
    process.kill().unwrap();
    process.wait().unwrap();
    let bytes = std::fs::metadata(folder.path().join("casty.redb")).unwrap().len();
    for after in ["a kill", "an orderly end"] {
        let begun = Instant::now();
        let stores = open(folder.path(), "node");
        let (log, state) = (stores.log(GroupId(1)).unwrap(), stores.state(GroupId(1)).unwrap());
        assert!(log.snapshots().unwrap().load().unwrap().is_some());
        assert!(state.get(&key(ROWS / 2)).unwrap().is_some());
        println!("{ROWS} rows, a file of {} MB, are opened after {after} in {:.1?}", bytes >> 20, begun.elapsed());
    }
}
