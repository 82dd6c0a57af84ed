//! The consensus groups of a cluster, seen from outside.

#![cfg(test)]

mod elections;
mod log;
