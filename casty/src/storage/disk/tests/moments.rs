//! Tables that are read as they were.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::rows::{Rows, apply, command, generations, put, save_durably};
use super::{GROUP, open};
use crate::storage::suite::durable;
use crate::storage::{RowBatch, RowReader, Stores};

/// A table at the moment at which a reader was made, and what the reader has found.
struct Reading {
    reader: Box<dyn RowReader>,
    then: Rows,
    found: Rows,
}

impl Reading {
    /// Reads on. `true`: that was all.
    fn read(&mut self, bytes_max: usize) -> bool {
        let batch = self.reader.read(bytes_max).unwrap();
        for (key, value) in batch.iter() {
            assert!(self.found.insert(key.to_vec(), value.to_vec()).is_none(), "{key:?} comes once");
        }
        batch.is_empty()
    }
}

#[test]
fn whoever_reads_finds_the_rows_of_one_moment_though_they_change_and_are_replaced() {
    for seed in 0..40 {
        let (mut rng, folder) = (StdRng::seed_from_u64(seed), tempfile::tempdir().unwrap());
        let stores = open(folder.path());
        let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
        let (mut table, mut saved, mut readings) = (Rows::new(), Rows::new(), Vec::<Reading>::new());
        for index in 0..80 {
            apply(&command(&mut rng, index), Some(&*state), &mut table);
            match rng.random_range(0..12) {
                0..4 => {
                    save_durably(&log, &*state, index);
                    saved = table.clone();
                }
                4 => {
                    // As from another node.
                    let mut staged = state.stage().unwrap();
                    let mut batch = RowBatch::builder();
                    table.retain(|_, _| rng.random_bool(0.8));
                    table.iter().for_each(|(key, value)| batch.push(key, value).unwrap());
                    let batch = batch.build();
                    durable(|done| staged.put(batch, done)).unwrap();
                    staged.adopt().unwrap();
                    save_durably(&log, &*state, index);
                    saved = table.clone();
                }
                5 | 6 if readings.len() < 3 => {
                    if let Some((_, reader)) = log.snapshots().unwrap().load().unwrap() {
                        readings.push(Reading { reader, then: saved.clone(), found: Rows::new() });
                    }
                }
                7 if !readings.is_empty() => drop(readings.swap_remove(rng.random_range(0..readings.len()))),
                _ => {
                    let bytes = rng.random_range(1..6_000);
                    readings.retain_mut(|reading| {
                        let over = reading.read(bytes);
                        assert!(!over || reading.found == reading.then, "seed {seed}");
                        !over
                    });
                }
            }
        }
        for mut reading in readings {
            while !reading.read(2_000) {}
            assert_eq!(reading.found, reading.then, "seed {seed}");
        }
        drop((log, state));
        let left = generations(stores, folder.path());
        assert!(left.len() <= 1, "seed {seed}: nothing is left for readers that have ended: {left:?}");
    }
}

#[test]
fn a_file_does_not_grow_by_what_is_written_while_a_state_is_read() {
    const ROWS: u64 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    put(&*state, 0..ROWS, &[1; 1_000]);
    save_durably(&log, &*state, 0);
    let mut reader = log.snapshots().unwrap().load().unwrap().unwrap().1;
    let mut read = reader.read(10_000).unwrap().rows();
    for index in 1..150 {
        put(&*state, 0..ROWS, &[index as u8; 1_000]);
        save_durably(&log, &*state, index);
    }
    let bytes = std::fs::metadata(folder.path().join(super::super::file::FILE)).unwrap().len();
    assert!(bytes < 16 << 20, "150 times 1 MB was written, and the file has {bytes} bytes");
    while let Some(batch) = Some(reader.read(10_000).unwrap()).filter(|batch| !batch.is_empty()) {
        assert!(batch.iter().all(|(_, value)| value == [1; 1_000]));
        read += batch.rows();
    }
    assert_eq!(read, ROWS);
}

#[tokio::test]
async fn what_was_kept_for_readers_is_removed_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path());
    let (log, state) = (stores.log(GROUP).unwrap(), stores.state(GROUP).unwrap());
    put(&*state, 0..100, b"old");
    save_durably(&log, &*state, 0);
    let reader = log.snapshots().unwrap().load().unwrap().unwrap().1;
    put(&*state, 0..100, b"new");
    save_durably(&log, &*state, 1);
    durable(|done| stores.save_record("a transaction".into(), done)).unwrap();
    // The process ends.
    stores.close().await;
    drop((log, state, stores));
    drop(reader);
    let left = generations(open(folder.path()), folder.path());
    assert_eq!(left.len(), 1, "{left:?}");
}
