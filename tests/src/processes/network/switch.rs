//! A switch in user space, for kernels without `netem`: it delays and loses what it carries.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Run;
use crate::processes::HarnessError;

/// The program of the switch. It stands in this binary, so that a harness needs no source tree.
const PROGRAM: &str = include_str!("../../../tools/switch.py");

/// What a wire does to each frame that it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// How long a frame takes at least.
    pub delay: Duration,
    /// Up to how much longer it may take. Frames overtake each other where it is large.
    pub jitter: Duration,
    /// How many of all frames are lost, from 0 to 1.
    pub loss: f64,
}

/// A running switch. It ends with this, and with it its end of every wire.
#[derive(Debug)]
pub(super) struct Switch {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Switch {
    /// Starts a switch with a port for each node. Its other ends are devices in the harness's own namespace.
    pub(super) fn start(run: Run, nodes: usize) -> Result<Self, HarnessError> {
        let mut command = Command::new("python3");
        command.args(["-c", PROGRAM]).args((0..nodes).map(|node| run.device(node)));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(io::Error::other("it has no pipes")));
        };
        let mut switch = Self { child, orders, answers: BufReader::new(answers) };
        switch.answer()?;
        Ok(switch)
    }

    /// From now on the wires from the first to the second node of each pair are like this.
    pub(super) fn set(&mut self, pairs: Vec<(usize, usize)>, quality: Quality) -> Result<(), HarnessError> {
        let Quality { delay, jitter, loss } = quality;
        for (from, to) in pairs {
            let order = format!("{from} {to} {} {} {loss}", delay.as_secs_f64(), jitter.as_secs_f64());
            writeln!(self.orders, "{order}").and_then(|()| self.orders.flush()).map_err(failed)?;
            self.answer()?;
        }
        Ok(())
    }

    /// Waits until the switch has done what it was told last.
    fn answer(&mut self) -> Result<(), HarnessError> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(failed)?;
        if line.trim() == "ok" {
            return Ok(());
        }
        let mut said = line;
        if let Some(stderr) = self.child.stderr.take() {
            let _ = self.child.kill();
            said.extend(BufReader::new(stderr).lines().map_while(Result::ok).last());
        }
        Err(HarnessError::Failed { command: COMMAND.to_owned(), said })
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const COMMAND: &str = "python3 switch.py";

fn failed(source: io::Error) -> HarnessError {
    HarnessError::Program { command: COMMAND.to_owned(), source }
}
