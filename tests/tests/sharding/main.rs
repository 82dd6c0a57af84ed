//! Entities in a cluster, and what becomes of them when nodes and links fail.

#![cfg(test)]

mod basics;
mod bulk;
mod cutoff;
mod deadlines;
mod linearizability;
mod loss;
mod observer;
mod order;
mod panics;
mod passivation;
mod references;
mod replication;
mod replies;
mod retries;
mod sends;
mod timers;
mod windows;
