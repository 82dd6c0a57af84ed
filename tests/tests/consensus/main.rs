//! The consensus groups of a cluster, seen from outside.

mod elections;
mod log;
