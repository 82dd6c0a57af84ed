//! Entities in a cluster, and what becomes of them when nodes and links fail.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "what tests share is test code too")]

mod basics;
mod cutoff;
mod deadlines;
mod linearizability;
mod loss;
mod observer;
mod order;
mod panics;
mod replies;
mod retries;
mod sends;
mod windows;
