//! What it costs to read a row, and to save what has changed.

use std::time::Instant;

use casty::GroupId;
use casty::storage::{Change, Stores};

use super::{open, save, wait};
use crate::reopen::{ROWS, key, put};

const READS: u64 = 200_000;

pub(super) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path(), "node");
    let (log, state) = (stores.log(GroupId(1)).unwrap(), stores.state(GroupId(1)).unwrap());
    put(&*log, &*state);
    // Multiplied with an odd number, consecutive numbers are spread over all.
    let spread = |number: u64, among: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % among;
    let read = |what: &str, among: u64| {
        let begun = Instant::now();
        (0..READS).for_each(|number| drop(state.get(&key(spread(number, among))).unwrap().unwrap()));
        println!("a row of {what}: {:.0?}", begun.elapsed() / READS as u32);
    };
    read("all that there are", ROWS);
    read("100,000 neighbours", 100_000);
    for (index, changed) in [(ROWS, 1_000), (ROWS + 1, 10_000)] {
        for number in 0..changed {
            state.write(&[Change::Put(&key(spread(number, ROWS)), &[9; 100])]).unwrap();
        }
        let begun = Instant::now();
        let mut stood = None;
        wait(|done| {
            save(&*log, &*state, index, done)?;
            stood = Some(begun.elapsed());
            Ok(())
        });
        println!(
            "{changed} of {ROWS} rows are saved in {:.1?}; the group stands still for {:.1?}",
            begun.elapsed(),
            stood.unwrap()
        );
    }
    (0..1_000).for_each(|number| state.write(&[Change::Put(&key(number), &[9; 100])]).unwrap());
    read("1,000 that have changed", 1_000);
}
