//! All asks by all competitors, in turn.

use std::time::Duration;

use super::competitors::{ALL, Entry};
use super::processes;
use crate::Failure;
use crate::cases::Unit;
use crate::meter::Sample;
use crate::report::Report;
use crate::run::{Plan, Work};

/// Asks of another process.
struct Asks {
    work: Work,
    /// How many callers there are, each with one ask under way.
    callers: u64,
}

const ROWS: [Asks; 2] = [
    Asks { work: asks("remote ask", 20_000), callers: 1 },
    Asks { work: asks("remote asks, 256 in flight", 300_000), callers: 256 },
];

const fn asks(name: &'static str, operations: u64) -> Work {
    Work { name, unit: Unit::Microseconds, operations }
}

/// Runs the rows that are wanted: each competitor with two processes of its own in each round.
pub fn run(plan: &Plan, wanted: impl Fn(&str) -> bool) -> Result<Report, Failure> {
    let competitors: Vec<&Entry> = ALL.iter().filter(|entry| wanted(entry.name)).collect();
    let rows: Vec<Asks> = ROWS.into_iter().filter(|row| plan.wants(row.work.name)).collect();
    let works: Vec<Work> = rows.iter().map(|row| row.work).collect();
    let mut report = Report::new(competitors.iter().map(|entry| entry.name).collect());
    let timed = plan.rounds(&works, competitors.len(), |row, competitor, operations| {
        let Sample { value, cpu } = processes::start(competitors[competitor], rows[row].callers, operations)?;
        let sample = Sample { value: value / 1e3, cpu: cpu.map(|cpu| cpu / 1e3) };
        Ok((sample, Duration::from_secs_f64(value / 1e9 * operations as f64)))
    })?;
    timed.into_iter().for_each(|row| report.push(row));
    Ok(report)
}
