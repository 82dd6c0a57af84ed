//! A value that is written whole.

use serde::{Deserialize, Serialize};

use super::super::Model;

/// A value that can be read, written, and swapped for another if it is the expected one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Register {
    /// The value before the first write.
    pub initial: u64,
}

/// What a [`Register`] may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RegisterInput {
    /// The value, please.
    Read,
    /// Be this value.
    Write(u64),
    /// Be `new` if you are `expected`.
    CompareAndSet {
        /// The value that it must have.
        expected: u64,
        /// The value that it gets.
        new: u64,
    },
}

/// What a [`Register`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RegisterOutput {
    /// To a read: the value.
    Value(u64),
    /// To a write.
    Written,
    /// To a compare-and-set: whether the value was the expected one, and is now the new one.
    Swapped(bool),
}

impl Model for Register {
    type State = u64;
    type Input = RegisterInput;
    type Output = RegisterOutput;

    fn start(&self) -> u64 {
        self.initial
    }

    fn apply(&self, value: &u64, input: &RegisterInput) -> (u64, RegisterOutput) {
        match *input {
            RegisterInput::Read => (*value, RegisterOutput::Value(*value)),
            RegisterInput::Write(new) => (new, RegisterOutput::Written),
            RegisterInput::CompareAndSet { expected, new } if expected == *value => {
                (new, RegisterOutput::Swapped(true))
            }
            RegisterInput::CompareAndSet { .. } => (*value, RegisterOutput::Swapped(false)),
        }
    }

    fn is_read(&self, input: &RegisterInput) -> bool {
        matches!(input, RegisterInput::Read)
    }
}
