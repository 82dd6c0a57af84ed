mod brute;
mod generate;
mod limits;
mod random;
mod report;
mod size;
mod verdicts;

use std::time::Duration;

use super::models::{RegisterInput, RegisterOutput};
use crate::testkit::history::{End, Operation};

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// An operation that was called and answered at these milliseconds.
fn done<I, O>(client: u64, times: (u64, u64), input: I, output: O) -> Operation<I, O> {
    Operation { client, call: ms(times.0), input, end: End::Returned { at: ms(times.1), output } }
}

/// An operation that was called at this millisecond and whose outcome is unknown.
fn lost<I, O>(client: u64, call: u64, input: I) -> Operation<I, O> {
    Operation { client, call: ms(call), input, end: End::Unknown }
}

fn write(client: u64, times: (u64, u64), value: u64) -> RegisterOperation {
    done(client, times, RegisterInput::Write(value), RegisterOutput::Written)
}

fn read(client: u64, times: (u64, u64), value: u64) -> RegisterOperation {
    done(client, times, RegisterInput::Read, RegisterOutput::Value(value))
}

fn swap(client: u64, times: (u64, u64), (expected, new): (u64, u64), swapped: bool) -> RegisterOperation {
    done(client, times, RegisterInput::CompareAndSet { expected, new }, RegisterOutput::Swapped(swapped))
}
