//! One request of a client and its end.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a client asked, and how it ended. Times count from the start of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation<I, O> {
    /// Who asked.
    pub client: u64,
    /// When it asked. The operation takes effect no earlier.
    pub call: Duration,
    /// What it asked for.
    pub input: I,
    /// How it ended.
    pub end: End<O>,
}

/// How an operation ended. One that certainly did not happen is in no history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End<O> {
    /// It was answered, so it took effect between its call and this moment.
    Returned {
        /// When the answer came.
        at: Duration,
        /// The answer.
        output: O,
    },
    /// No answer that says anything: it may take effect at any time after its call, or never.
    Unknown,
}

impl<I, O: PartialEq> Operation<I, O> {
    /// Whether it was answered with this.
    pub(crate) fn returned(&self, expected: &O) -> bool {
        matches!(&self.end, End::Returned { output, .. } if output == expected)
    }
}
