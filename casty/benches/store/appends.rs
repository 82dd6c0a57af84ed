//! Appends of many groups, by themselves and while a state comes in.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use casty::GroupId;
use casty::storage::{DiskStores, LogEntry, LogPosition, Payload, RowBatch, Stores};

use super::{megabytes, open, percentile, wait};

const GROUPS: u16 = 12;
const ALONE: Duration = Duration::from_secs(10);
const ROW_BYTES: u64 = 1_000;

pub(super) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path(), "node");
    let mut first = 0;
    let alone = measure(&stores, &mut first, |stop| {
        thread::sleep(ALONE);
        stop.store(true, Ordering::Relaxed);
    });
    println!("{GROUPS} groups, one append of 256 bytes each at a time: {alone}");
    let begun = Instant::now();
    let during = measure(&stores, &mut first, |stop| {
        receive(&stores);
        stop.store(true, Ordering::Relaxed);
    });
    println!("while {} MB of rows come in, {:.1?}: {during}", megabytes(), begun.elapsed());
    let after = measure(&stores, &mut first, |stop| {
        thread::sleep(ALONE);
        stop.store(true, Ordering::Relaxed);
    });
    println!("after that: {after}; ratio {:.2}", (alone.rate + after.rate) / 2.0 / during.rate);
}

/// Takes rows as they come from another node.
fn receive(stores: &DiskStores) {
    let state = stores.state(GroupId(100)).unwrap();
    let mut staged = state.stage().unwrap();
    let rows = megabytes() * 1_000_000 / ROW_BYTES;
    let mut number = 0_u64;
    while number < rows {
        let mut batch = RowBatch::builder();
        while batch.bytes() < 512 << 10 && number < rows {
            batch.push(&number.to_be_bytes(), &[number as u8; ROW_BYTES as usize]).unwrap();
            number += 1;
        }
        let batch = batch.build();
        wait(|done| staged.put(batch, done));
    }
}

struct Measured {
    rate: f64,
    latencies: Vec<Duration>,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |share| percentile(&self.latencies, share);
        write!(f, "{:.0} a second, median {:.1?}, p99 {:.1?}", self.rate, at(0.5), at(0.99))
    }
}

/// Appends to all groups while something else goes on.
fn measure(stores: &DiskStores, first: &mut u64, meanwhile: impl FnOnce(&AtomicBool) + Send) -> Measured {
    let (stop, begun) = (AtomicBool::new(false), Instant::now());
    let mut latencies: Vec<Duration> = thread::scope(|scope| {
        let append = |group| append(stores, GroupId(group), *first, &stop);
        let groups: Vec<_> = (1..=GROUPS).map(|group| scope.spawn(move || append(group))).collect();
        meanwhile(&stop);
        groups.into_iter().flat_map(|group| group.join().unwrap()).collect()
    });
    // Logs go on where they ended, each somewhere else: they begin anew.
    *first += 1;
    let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Measured { rate, latencies }
}

fn append(stores: &DiskStores, group: GroupId, term: u64, stop: &AtomicBool) -> Vec<Duration> {
    let log = stores.log(group).unwrap();
    log.truncate_after(None).unwrap();
    let (mut latencies, mut index) = (Vec::new(), 0);
    let mut once = || {
        let payload = Payload::Command(Bytes::from_static(&[7; 256]));
        let entry = LogEntry { at: LogPosition { term, index }, payload };
        let begun = Instant::now();
        wait(|done| log.append(vec![entry], done));
        latencies.push(begun.elapsed());
        index += 1;
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    while once().is_continue() {}
    latencies
}
