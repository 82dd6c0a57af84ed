//! Random faults on a cluster of real processes under load, for as long as one likes.
//!
//! A run is a sequence of rounds. Each starts a new cluster, breaks it, and ends with a judgement of all that the clients
//! saw. Any node may be killed, or leave, whenever the groups can spare it: a node whose last life took replicas along is lost
//! until the others say that what it held is held again, and a minority of the replicas is lost at most. Nodes that keep their
//! state on disks lose nothing when they are killed: so they are, any number of them at a time, and all at once.

mod damage;
mod evidence;
mod fault;
mod options;
mod report;
mod round;
mod sight;
mod windows;

pub use evidence::gather;
pub use options::{Options, Wires};
pub use report::{Report, RoundReport};
pub use round::{Plan, round};

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tokio::time::{Duration, Instant};

use crate::processes::{HarnessError, Setup, node};

/// The word that makes this program a node.
const NODE: &str = "node";

/// Runs the program `chaos` with the arguments of a command line, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|word| word == NODE) {
        arguments.remove(1);
        return node::main(arguments, |_| Box::pin(async { Ok(()) }));
    }
    let options = Options::parse_from(arguments);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let run = runtime.map(|runtime| {
        // An interrupted run must clean up after itself, too.
        runtime.block_on(async {
            tokio::select! { report = rounds(&options) => Some(report), _ = tokio::signal::ctrl_c() => None }
        })
    });
    match run {
        Ok(Some(Ok(report))) => finish(&options, &report),
        Ok(Some(Err(error))) => failed(&error),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

/// Runs rounds until the time is over, and says what came of each.
async fn rounds(options: &Options) -> Result<Report, HarnessError> {
    let failed = |source| HarnessError::Process { node: "chaos".to_owned(), action: "find the program", source };
    let program = std::env::current_exe().map_err(failed)?;
    let mut report = Report { seed: options.seed(), ..Report::default() };
    say(&format!("seed {}", report.seed));
    let (begun, limit) = (Instant::now(), Duration::from_secs_f64(options.minutes * 60.0));
    while report.rounds.is_empty() || begun.elapsed() < limit {
        let mut setup = Setup::new(&program, usize::from(options.nodes));
        setup.arguments = vec![NODE.into()];
        setup.durable = options.durable;
        let seed = report.seed + report.rounds.len() as u64;
        let round = round(options.wires, setup, options.plan(seed, limit.saturating_sub(begun.elapsed()))).await?;
        say(&round.to_string());
        report.rounds.push(round);
    }
    Ok(report)
}

fn finish(options: &Options, report: &Report) -> ExitCode {
    say(&report.to_string());
    let written = options.json.as_ref().map(|path| {
        let json = serde_json::to_vec_pretty(report).map_err(std::io::Error::from);
        json.and_then(|json| std::fs::write(path, json))
    });
    match written {
        Some(Err(error)) => failed(&error),
        _ if report.is_good() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said += &format!(": {cause}");
        source = cause.source();
    }
    let _ = writeln!(std::io::stderr(), "chaos: {said}");
    ExitCode::FAILURE
}

fn say(line: &str) {
    // Nobody is there to be told that nobody reads.
    let _ = writeln!(std::io::stdout(), "{line}");
}
