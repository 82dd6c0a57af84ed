//! One run: all work by all competitors, side by side.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::cases::{Allocations, Idle, TIMED, Timed, Unit};
use crate::competitors::Entry;
use crate::meter::Sample;
use crate::report::{Report, Row};

/// What is run, and how much of it.
pub struct Plan {
    /// Who takes part.
    pub competitors: Vec<&'static Entry>,
    /// Rounds of the timed work.
    pub rounds: usize,
    /// All numbers of operations and actors are multiplied by this.
    pub scale: f64,
    /// Only rows whose name contains one of these, if there are any.
    pub rows: Vec<String>,
}

/// Work of which the time is taken, by whomever.
#[derive(Clone, Copy)]
pub struct Work {
    /// The row's name.
    pub name: &'static str,
    /// The unit of its figures.
    pub unit: Unit,
    /// How often its operation is done in one round, unless the whole run is scaled.
    pub operations: u64,
}

impl From<&Timed> for Work {
    fn from(&Timed { name, unit, operations, .. }: &Timed) -> Self {
        Self { name, unit, operations }
    }
}

const OPERATIONS_COUNTED: u64 = 20_000;
const LEAST: u64 = 1_000;
const IDLE_ACTORS: u64 = 100_000;

/// How many processes with idle actors there are at a time. They have nothing to do, but need memory.
const IDLE_PROCESSES: usize = 4;

/// Who takes longer for its part of a round gets less to do in the next, lest one competitor takes most of the run.
const LONG: Duration = Duration::from_secs(1);

impl Plan {
    /// Runs all of it.
    pub fn run(&self) -> Result<Report, Failure> {
        let mut report = Report::new(self.competitors.iter().map(|entry| entry.name).collect());
        self.time()?.into_iter().for_each(|row| report.push(row));
        self.idle()?.into_iter().for_each(|row| report.push(row));
        self.allocations().into_iter().for_each(|row| report.push(row));
        Ok(report)
    }

    fn time(&self) -> Result<Vec<Row>, Failure> {
        let rows: Vec<&Timed> = TIMED.iter().filter(|timed| self.wants(timed.name)).collect();
        let works: Vec<Work> = rows.iter().map(|timed| Work::from(*timed)).collect();
        self.rounds(&works, self.competitors.len(), |row, competitor, operations| {
            let begun = Instant::now();
            let sample = (self.competitors[competitor].time)(rows[row], operations);
            Ok((sample, begun.elapsed()))
        })
    }

    /// In every round each competitor does each work once, and each round another one begins: what disturbs the machine
    /// for a while hits all of them. `once` is given the places of the work and the competitor and how many operations to do,
    /// and says how long they took.
    pub fn rounds(
        &self,
        works: &[Work],
        competitors: usize,
        mut once: impl FnMut(usize, usize, u64) -> Result<(Sample, Duration), Failure>,
    ) -> Result<Vec<Row>, Failure> {
        let row = |work: &Work| Row {
            name: work.name.to_owned(),
            unit: work.unit,
            compared: true,
            samples: vec![Vec::new(); competitors],
        };
        let mut rows: Vec<Row> = works.iter().map(row).collect();
        let mut operations: Vec<Vec<u64>> =
            works.iter().map(|work| vec![self.scaled(work.operations); competitors]).collect();
        for round in 0..self.rounds {
            for (at, (row, operations)) in rows.iter_mut().zip(&mut operations).enumerate() {
                eprintln!("round {} of {}: {}", round + 1, self.rounds, row.name);
                for competitor in (0..competitors).map(|competitor| (competitor + round) % competitors) {
                    let (sample, took) = once(at, competitor, operations[competitor])?;
                    row.samples[competitor].push(sample);
                    operations[competitor] = within(LONG, operations[competitor], took);
                }
            }
        }
        Ok(rows)
    }

    fn idle(&self) -> Result<Vec<Row>, Failure> {
        type Value = fn(&Idle) -> f64;
        let actors = self.scaled(IDLE_ACTORS);
        let of_all = format!("CPU in 5 s of {actors} idle actors");
        let rows: [(&str, Unit, Value); 3] = [
            ("idle actor, new", Unit::Bytes, |idle| idle.new_bytes),
            ("idle actor, used", Unit::Bytes, |idle| idle.used_bytes),
            (&of_all, Unit::Milliseconds, |idle| idle.cpu_ms),
        ];
        let rows: Vec<_> = rows.into_iter().filter(|(name, ..)| self.wants(name)).collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut idle = Vec::new();
        for entries in self.competitors.chunks(IDLE_PROCESSES) {
            eprintln!("idle actors: {}", entries.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "));
            let children: Vec<Child> =
                entries.iter().map(|entry| idle_process(entry, actors)).collect::<Result<_, _>>()?;
            for child in children {
                idle.push(result_of(child)?);
            }
        }
        let row = |(name, unit, value): (&str, Unit, Value)| {
            let samples = idle.iter().map(|idle| vec![Sample::plain(value(idle))]).collect();
            Row { name: name.to_owned(), unit, compared: unit == Unit::Bytes, samples }
        };
        Ok(rows.into_iter().map(row).collect())
    }

    fn allocations(&self) -> Vec<Row> {
        type Value = fn(&Allocations) -> f64;
        let rows: [(&str, Unit, Value); 6] = [
            ("allocations of a tell", Unit::Count, |counted| counted.tell.calls),
            ("allocations of an ask", Unit::Count, |counted| counted.ask.calls),
            ("allocations of a spawn", Unit::Count, |counted| counted.spawn.calls),
            ("allocated by a tell", Unit::Bytes, |counted| counted.tell.bytes),
            ("allocated by an ask", Unit::Bytes, |counted| counted.ask.bytes),
            ("allocated by a spawn", Unit::Bytes, |counted| counted.spawn.bytes),
        ];
        let rows: Vec<_> = rows.into_iter().filter(|(name, ..)| self.wants(name)).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        eprintln!("allocations");
        let operations = self.scaled(OPERATIONS_COUNTED);
        let counted: Vec<_> = self.competitors.iter().map(|entry| (entry.allocations)(operations)).collect();
        let row = |(name, unit, value): (&str, Unit, Value)| {
            let samples = counted.iter().map(|counted| vec![Sample::plain(value(counted))]).collect();
            Row { name: name.to_owned(), unit, compared: false, samples }
        };
        rows.into_iter().map(row).collect()
    }

    /// Whether a row is to be run.
    pub fn wants(&self, name: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| name.contains(wanted))
    }

    fn scaled(&self, number: u64) -> u64 {
        ((number as f64 * self.scale) as u64).max(LEAST)
    }
}

/// How many operations fit into the time, if `operations` of them `took` so long; not more than those.
fn within(time: Duration, operations: u64, took: Duration) -> u64 {
    let part = (time.as_secs_f64() / took.as_secs_f64()).min(1.0);
    ((operations as f64 * part) as u64).max(LEAST)
}

/// Starts this program anew, to do nothing but watch idle actors.
fn idle_process(entry: &Entry, actors: u64) -> Result<Child, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--idle", entry.name, "--actors", &actors.to_string()]).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

fn result_of(child: Child) -> Result<Idle, Failure> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("a process with idle actors ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
