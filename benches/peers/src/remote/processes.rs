//! The two processes of an echo.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::competitors::Entry;
use crate::Failure;
use crate::meter::{Sample, Stopwatch};

/// The process that answers. It ends when this is dropped.
pub struct Answering {
    /// How to get to it, as it says itself.
    pub way: String,
    process: Child,
}

impl Answering {
    fn start(entry: &Entry) -> Result<Self, Failure> {
        let mut process = myself(&["--answering", entry.name])?.stdin(Stdio::piped()).spawn()?;
        let mut way = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut way)?;
        }
        Ok(Self { way: way.trim_end().to_owned(), process })
    }

    /// Takes the time, and the processor time of both processes.
    pub fn watch(&self) -> Stopwatch {
        Stopwatch::with(self.process.id())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        // It reads until then.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Starts this program anew to ask, and waits for what one ask took it.
pub fn start(entry: &Entry, callers: u64, asks: u64) -> Result<Sample, Failure> {
    let arguments = ["--asking", entry.name, "--callers", &callers.to_string(), "--asks", &asks.to_string()];
    let output = myself(&arguments)?.spawn()?.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("the process that asks by {} ended with {}", entry.name, output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The part that this process has of an echo. It is how the program calls itself.
#[derive(clap::Args)]
pub struct Part {
    #[arg(long, hide = true, requires = "callers", requires = "asks")]
    asking: Option<String>,
    #[arg(long, hide = true)]
    callers: Option<u64>,
    #[arg(long, hide = true)]
    asks: Option<u64>,
    #[arg(long, hide = true)]
    answering: Option<String>,
}

impl Part {
    /// Plays the part; false if there is none.
    pub fn play(&self) -> Result<bool, Failure> {
        if let Some(entry) = self.answering.as_deref().and_then(Entry::named) {
            end_with_stdin();
            (entry.answer)();
            return Ok(true);
        }
        let asking = self.asking.as_deref().and_then(Entry::named);
        let (Some(entry), Some(callers), Some(asks)) = (asking, self.callers, self.asks) else { return Ok(false) };
        let sample = (entry.time)(Answering::start(entry)?, callers, asks);
        println!("{}", serde_json::to_string(&sample)?);
        Ok(true)
    }
}

/// Who started this process holds the other end, and so ends it.
fn end_with_stdin() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}

fn myself(arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdout(Stdio::piped());
    Ok(command)
}
