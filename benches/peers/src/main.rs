//! Casty and other ways of running actors in one process, put through the same work side by side.
//!
//! The README says what each row measures. The work is in [`cases`], who does it in [`competitors`].

mod cases;
mod competitors;
mod meter;
mod report;
mod run;

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use self::competitors::{ALL, BASE, Entry};
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
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(ALL.iter().map(|entry| entry.name))
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    if let (Some(entry), Some(actors)) = (args.idle.as_deref().and_then(Entry::named), args.actors) {
        println!("{}", serde_json::to_string(&(entry.idle)(actors)?)?);
        return Ok(());
    }
    let wanted = |entry: &&Entry| args.competitor.is_empty() || args.competitor.iter().any(|name| name == entry.name);
    let plan = Plan {
        competitors: ALL.iter().filter(wanted).collect(),
        rounds: args.rounds.into(),
        scale: args.scale,
        rows: args.row,
    };
    let report = plan.run()?;
    println!("Medians of {} rounds:\n\n{}", plan.rounds, report.medians());
    println!("Ratios to {BASE}, medians over the rounds:\n\n{}", report.ratios(BASE));
    println!("Processor time of all threads:\n\n{}", report.cpu());
    if let Some(file) = args.json {
        fs::write(file, serde_json::to_vec_pretty(&report.json(BASE))?)?;
    }
    Ok(())
}
