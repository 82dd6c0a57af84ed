//! Programs of the system that are run to their end.

use std::io::Write;
use std::process::{Command, Stdio};

use super::HarnessError;

/// Runs a program on `input`, and returns what it said.
pub(super) fn run(program: &str, args: &[&str], input: &str) -> Result<String, HarnessError> {
    let command = || format!("{program} {}", args.join(" "));
    let failed = |source| HarnessError::Program { command: command(), source };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ended early says why on its standard error.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(HarnessError::Failed { command: command(), said })
}

/// Runs lines of `ip`, in a namespace if one is named.
pub(super) fn ip_batch(namespace: Option<&str>, lines: &str) -> Result<(), HarnessError> {
    match namespace {
        Some(name) => run("ip", &["-n", name, "-batch", "-"], lines),
        None => run("ip", &["-batch", "-"], lines),
    }
    .map(drop)
}
