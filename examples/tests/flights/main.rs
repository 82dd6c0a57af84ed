//! The main job: its parts without a cluster, and the program as a whole.

#![cfg(test)]

mod kills;
mod ledger;
mod options;
mod plant;
mod program;
mod report;
mod rows;
mod sample;
mod stream;
mod totals;
