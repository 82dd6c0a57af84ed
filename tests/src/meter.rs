//! What a meter is asked. Each version of the node program has a meter of its own.

use casty::prelude::*;

/// Counts up.
#[message]
pub struct Advance {
    /// How much.
    pub by: u64,
}

/// Asks what has been counted, in words.
#[message]
pub struct Describe;
