//! Histories that real processes write.

#![cfg(test)]

use std::time::Duration;

use casty::testkit::history::{History, Operation};
use casty::testkit::linearizability::models::{Counter, CounterInput};
use casty::testkit::linearizability::{Limits, Verdict, check};

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_history_that_was_written_as_lines_of_json_is_read_back_and_checked() {
    let history = History::new();
    history.call(1, MS, CounterInput::Add(7)).unknown();
    history.call(2, MS, CounterInput::Read).returned(2 * MS, 7);
    let written = history.operations();
    let lines: Vec<_> = written.iter().map(|operation| serde_json::to_string(operation).unwrap()).collect();
    let read: Vec<Operation<CounterInput, u64>> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, written);
    assert_eq!(check(&Counter, &read, Limits::default()), Verdict::Linearizable);
}
