//! The job from the command line to the exit status.

use std::ffi::OsString;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use super::cluster::Cluster;
use super::compare;
use super::error::FlightsError;
use super::fleet::Fleet;
use super::kills::{self, Kill, Moment};
use super::node;
use super::options::{Job, Options, Role};
use super::outputs::Outputs;
use super::plant::{self, Sending};
use super::report::{Figures, Rejoined, say};
use super::rows::{self, Flight};
use super::stream::{self, Streamed};
use super::summary::Summaries;
use super::totals::{self, AllTotals};

/// Runs the program with these arguments, the first of which is its name.
///
/// Exit status: 0 if all totals are equal and nothing was lost, doubled or out of order; 1 if not, or if the cluster
/// failed; 2 if an option or the input is wrong.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let ended = match options.role {
        Some(Role::Node(options)) => block_on(node::run(&options)).map(|()| ExitCode::SUCCESS),
        None => block_on(run(&options.job)),
    };
    ended.unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        ExitCode::from(error.exit_status())
    })
}

/// How often the spinner moves.
const SPINNER_TICK: Duration = Duration::from_millis(100);

/// Aircraft that are named when totals differ.
const DIFFERENCES_SHOWN: usize = 5;

fn block_on<T>(work: impl Future<Output = Result<T, FlightsError>>) -> Result<T, FlightsError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,openraft=error"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal()).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(FlightsError::Runtime)?;
    runtime.block_on(work)
}

async fn run(job: &Job) -> Result<ExitCode, FlightsError> {
    job.check()?;
    let work = Work::prepare(job)?;
    let outputs = Outputs::open(job)?;

    let waiting = bar("starting", 0);
    let mut cluster = Cluster::start(job).await?;
    waiting.finish_and_clear();
    let driven = work.drive(&mut cluster).await;
    if driven.is_err() {
        cluster.last_words().iter().for_each(|(node, log)| say(&format!("{node}{log}")));
    }
    cluster.stop().await;
    let Driven { streamed, rejoined, summaries } = driven?;

    let figures = Figures::new(&streamed, rejoined, &summaries);
    print(&figures, &streamed.kills)?;
    outputs.write(&figures, &summaries)?;
    Ok(verdict(&figures, &compare::differences(&work.expected, &summaries)))
}

/// What came of the work.
struct Driven {
    streamed: Streamed,
    rejoined: Option<Rejoined>,
    summaries: Summaries,
}

/// What is to be sent, and what must come out.
struct Work {
    flights: Vec<Flight>,
    expected: AllTotals,
    sendings: Vec<Sending>,
    moments: Vec<Moment>,
    window: usize,
}

impl Work {
    fn prepare(job: &Job) -> Result<Self, FlightsError> {
        let flights = rows::read(&job.input())?;
        let mut sendings = plant::sendings(&flights);
        for fault in &job.plant {
            fault.apply(&flights, &mut sendings)?;
        }
        let moments = kills::moments(sendings.len(), usize::from(job.kills));
        Ok(Self { expected: totals::fold(&flights), flights, sendings, moments, window: job.window as usize })
    }

    async fn drive(&self, cluster: &mut Cluster) -> Result<Driven, FlightsError> {
        let progress = bar("streaming", self.sendings.len());
        let (flights, sendings) = (&self.flights, &self.sendings);
        let streamed = stream::stream(cluster, flights, sendings, &self.moments, self.window, &progress).await?;
        progress.finish_and_clear();
        let waiting = bar("replacing", 0);
        cluster.whole().await?;
        let rejoined = cluster.rejoined().await;
        waiting.finish_and_clear();
        let progress = bar("reading back", self.expected.len());
        let summaries = stream::read_back(cluster, &self.expected, self.window, &progress).await?;
        progress.finish_and_clear();
        cluster.check()?;
        Ok(Driven { streamed, rejoined, summaries })
    }
}

fn print(figures: &Figures, kills: &[Kill]) -> Result<(), FlightsError> {
    let written = writeln!(std::io::stdout(), "{}", figures.table(kills));
    written.map_err(|source| FlightsError::Write { file: "the table to standard output".into(), source })
}

fn verdict(figures: &Figures, differences: &[String]) -> ExitCode {
    if differences.is_empty() && figures.is_clean() {
        return ExitCode::SUCCESS;
    }
    let Figures { lost, duplicated, out_of_order, .. } = figures;
    say(&format!("failed: {lost} lost, {duplicated} duplicated, {out_of_order} out of order"));
    if differences.is_empty() {
        say("the totals of all aircraft are equal all the same");
        return ExitCode::FAILURE;
    }
    say(&format!("the totals of {} aircraft differ from the sequential fold:", differences.len()));
    differences.iter().take(DIFFERENCES_SHOWN).for_each(|difference| say(&format!("  {difference}")));
    if differences.len() > DIFFERENCES_SHOWN {
        say(&format!("  and {} more", differences.len() - DIFFERENCES_SHOWN));
    }
    ExitCode::FAILURE
}

/// A progress bar on stderr, hidden when that is no terminal. Of length 0: a spinner.
fn bar(what: &'static str, length: usize) -> ProgressBar {
    if length == 0 {
        let spinner = ProgressBar::new_spinner().with_message(what);
        spinner.enable_steady_tick(SPINNER_TICK);
        return spinner;
    }
    let bar = ProgressBar::new(length as u64);
    let template = "{msg:<14} {wide_bar} {human_pos}/{human_len}  {per_sec}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_message(what)
}
