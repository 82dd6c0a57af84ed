//! How much a client does.

use std::ops::Range;

/// How much a client does, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many objects of each kind there are.
    pub objects: u64,
    /// How long a client pauses between two operations, in milliseconds.
    pub pause_ms: Range<u64>,
    /// How long an ask may take, in milliseconds.
    pub timeout_ms: Range<u64>,
    /// One of so many asks is dropped half way.
    pub dropped: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { objects: 3, pause_ms: 0..40, timeout_ms: 200..3_000, dropped: 20 }
    }
}
