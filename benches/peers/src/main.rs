//! Casty and other ways of running actors in one process, put through the same work side by side.
//!
//! The README says what each row measures. The work is in [`cases`], who does it in [`competitors`]; work between two processes
//! is in `remote`.

mod cases;
mod competitors;
mod meter;
#[cfg(feature = "remote")]
mod remote;
mod report;
mod run;

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use self::competitors::{ALL, BASE, Entry};
use self::report::Report;
use self::run::Plan;

#[cfg(tokio_unstable)]
compile_error!("tokio's instruments would be measured: run cargo in the folder `benches/peers`, without RUSTFLAGS");

/// Whatever ends a run early.
type Failure = Box<dyn std::error::Error>;

#[global_allocator]
static ALLOCATOR: meter::Counting = meter::Counting;

/// Puts casty and its peers through the same work, and prints what each of them costs.
#[derive(Parser)]
struct Args {
    /// Rounds of the rows that measure time
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Multiplies all numbers of operations and actors
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Only rows whose name contains this; may be given again
    #[arg(long, value_name = "PART")]
    row: Vec<String>,
    /// Only this competitor; may be given again
    #[arg(long, value_name = "NAME", value_parser = names())]
    competitor: Vec<String>,
    /// Writes all figures to a file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measures idle actors of one competitor in this process: how the program calls itself
    #[arg(long, hide = true, requires = "actors", value_parser = names())]
    idle: Option<String>,
    #[arg(long, hide = true)]
    actors: Option<usize>,
    #[cfg(feature = "remote")]
    #[command(flatten)]
    part: remote::Part,
}

fn names() -> PossibleValuesParser {
    let names = ALL.iter().map(|entry| entry.name);
    #[cfg(feature = "remote")]
    let names = names.chain(remote::ALL.iter().map(|entry| entry.name).filter(|name| Entry::named(name).is_none()));
    PossibleValuesParser::new(names)
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    if let (Some(entry), Some(actors)) = (args.idle.as_deref().and_then(Entry::named), args.actors) {
        println!("{}", serde_json::to_string(&(entry.idle)(actors)?)?);
        return Ok(());
    }
    #[cfg(feature = "remote")]
    if args.part.play()? {
        return Ok(());
    }
    let wanted = |name: &str| args.competitor.is_empty() || args.competitor.iter().any(|wanted| wanted == name);
    let plan = Plan {
        competitors: ALL.iter().filter(|entry| wanted(entry.name)).collect(),
        rounds: args.rounds.into(),
        scale: args.scale,
        rows: args.row,
    };
    let reports = [(plan.run()?, BASE)].into_iter();
    #[cfg(feature = "remote")]
    let reports = reports.chain([(remote::run(&plan, wanted)?, remote::BASE)]);
    let reports: Vec<_> = reports.filter(|(report, _)| !report.is_empty()).collect();
    for (report, base) in &reports {
        print(report, base, plan.rounds);
    }
    if let Some(file) = args.json {
        let rows: Vec<_> = reports.iter().flat_map(|(report, base)| report.json(base)).collect();
        fs::write(file, serde_json::to_vec_pretty(&rows)?)?;
    }
    Ok(())
}

fn print(report: &Report, base: &str, rounds: usize) {
    println!("Medians of {rounds} rounds:\n\n{}", report.medians());
    println!("Ratios to {base}, medians over the rounds:\n\n{}", report.ratios(base));
    println!("Processor time of all threads:\n\n{}", report.cpu());
}
