//! `casty sim`: many seeds of the mixed workload, in processes of their own, or one seed in detail.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use casty::testkit::sim::Sim;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

/// What to simulate.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER")]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    from: u64,
    /// Run this one seed, and tell all that happened
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// With --seed: tell log lines of this crate, too
    #[arg(long, value_name = "CRATE", requires = "seed")]
    log: Option<String>,
    /// Stop at the first violation
    #[arg(long)]
    first: bool,
    /// How many processes work at a time; by default one for each core
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<u64>,
    /// Nodes that hold replicas
    #[arg(long, default_value_t = 3, value_name = "NUMBER")]
    nodes: usize,
    /// On how many nodes state is held: 1, 3 or 5
    #[arg(long, default_value_t = 3, value_name = "NUMBER")]
    replicas: usize,
    /// How long faults happen in each run, in simulated seconds
    #[arg(long, default_value_t = 8, value_name = "SECONDS")]
    lasting: u64,
    /// Nodes keep their state on disks, and lose power all at once
    #[arg(long)]
    durable: bool,
    /// Run every n-th seed for the process that started this one, and say how each ended
    #[arg(long, hide = true, value_name = "N")]
    every: Option<u64>,
}

/// How a worker begins its words about one seed.
const PASSED: &str = "passed ";
const FAILED: &str = "failed ";
/// A line of what a worker says about a violation.
const MORE: &str = "| ";

pub(crate) fn run(options: &Options) -> ExitCode {
    match (options.seed, options.every) {
        (Some(seed), _) => tell(options, seed),
        (None, Some(every)) => work(options, every),
        (None, None) => search(options),
    }
}

/// One seed, with all that happened.
fn tell(options: &Options, seed: u64) -> ExitCode {
    let sim = options.log.iter().fold(options.sim(), |sim, target| sim.log_also(target));
    let result = sim.run_one(seed, |run| run.mixed());
    let (lines, fingerprint) = match &result {
        Ok(passed) => (&passed.lines, passed.fingerprint),
        Err(failure) => (&failure.lines, failure.fingerprint),
    };
    lines.iter().for_each(|line| println!("{line}"));
    println!("{fingerprint}");
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("\n{}: {}", failure.invariant, failure.explanation);
            ExitCode::FAILURE
        }
    }
}

/// Runs seeds for another process: each line that is written says how one ended.
fn work(options: &Options, every: u64) -> ExitCode {
    for seed in (options.from..options.from + options.seeds).step_by(every.max(1) as usize) {
        match options.sim().run_one(seed, |run| run.mixed()) {
            Ok(passed) => println!("{PASSED}{}", passed.lasted.as_millis()),
            Err(failure) => {
                failure.to_string().lines().for_each(|line| println!("{MORE}{line}"));
                println!("{FAILED}{seed}");
            }
        }
    }
    ExitCode::SUCCESS
}

/// What a worker told of one seed.
enum Word {
    Passed { simulated: Duration },
    Failed { seed: u64, story: String },
}

/// Many seeds, in parallel processes.
fn search(options: &Options) -> ExitCode {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let jobs = options.jobs.unwrap_or(cores).clamp(1, options.seeds.max(1));
    let (begun, progress) = (Instant::now(), progress(options.seeds));
    let (said, words) = channel();
    let mut workers = Vec::new();
    for job in 0..jobs {
        match options.start_worker(job, jobs, &said) {
            Ok(worker) => workers.push(worker),
            Err(error) => {
                eprintln!("a worker process cannot be started: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    drop(said);
    let (mut passed, mut failed, mut simulated) = (0u64, Vec::new(), Duration::ZERO);
    for word in words {
        progress.inc(1);
        match word {
            Word::Passed { simulated: more } => (passed, simulated) = (passed + 1, simulated + more),
            Word::Failed { seed, story } => {
                progress.suspend(|| println!("{story}\n"));
                failed.push(seed);
                progress.set_message(format!("{} violations", failed.len()));
                if options.first {
                    break;
                }
            }
        }
    }
    progress.finish_and_clear();
    let (done, took) = (passed + failed.len() as u64, begun.elapsed());
    println!(
        "{done} seeds in {:.1} s ({:.1} a second, {:.0} simulated seconds a second): {} violations {failed:?}",
        took.as_secs_f64(),
        done as f64 / took.as_secs_f64(),
        simulated.as_secs_f64() / took.as_secs_f64(),
        failed.len(),
    );
    if options.first && !failed.is_empty() {
        workers.iter_mut().for_each(|worker| drop(worker.kill()));
    }
    let whole = workers.into_iter().all(|mut worker| worker.wait().is_ok_and(|status| status.success()));
    if failed.is_empty() && (!whole || done != options.seeds) {
        println!("a worker process ended early: {} of {} seeds have no outcome", options.seeds - done, options.seeds);
    }
    if whole && done == options.seeds && failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Options {
    fn sim(&self) -> Sim {
        let Self { nodes, replicas, lasting, durable, .. } = self;
        let sim = if *durable { Sim::mixed_durable() } else { Sim::mixed() };
        let sim = sim.nodes(*nodes).replicas(*replicas).lasting(Duration::from_secs(*lasting));
        let command = "cargo run --release -p casty --features cli --bin casty -- sim";
        let disks = if *durable { " --durable" } else { "" };
        let of = format!("--nodes {nodes} --replicas {replicas} --lasting {lasting}{disks}");
        sim.replay_with(format!("{command} --seed {{seed}} {of}"))
    }

    /// Starts a process for every `jobs`-th seed, and a thread that reads what it says.
    fn start_worker(&self, job: u64, jobs: u64, said: &Sender<Word>) -> io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("sim").args(["--every", &jobs.to_string()]);
        command.args(["--from", &(self.from + job).to_string(), "--seeds", &(self.seeds - job).to_string()]);
        command.args(["--nodes", &self.nodes.to_string(), "--replicas", &self.replicas.to_string()]);
        command.args(["--lasting", &self.lasting.to_string()]);
        command.args(self.durable.then_some("--durable"));
        let mut worker = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        if let Some(output) = worker.stdout.take() {
            let said = said.clone();
            thread::spawn(move || listen(BufReader::new(output), &said));
        }
        Ok(worker)
    }
}

fn listen(output: impl BufRead, said: &Sender<Word>) {
    let mut story = Vec::new();
    for line in output.lines().map_while(Result::ok) {
        let word = if let Some(more) = line.strip_prefix(MORE) {
            story.push(more.to_owned());
            continue;
        } else if let Some(ms) = line.strip_prefix(PASSED).and_then(|ms| ms.parse().ok()) {
            Word::Passed { simulated: Duration::from_millis(ms) }
        } else if let Some(seed) = line.strip_prefix(FAILED).and_then(|seed| seed.parse().ok()) {
            Word::Failed { seed, story: std::mem::take(&mut story).join("\n") }
        } else {
            continue;
        };
        if said.send(word).is_err() {
            return;
        }
    }
}

fn progress(seeds: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} seeds, {per_sec}, {eta} left {msg}");
    let bar = ProgressBar::new(seeds);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
