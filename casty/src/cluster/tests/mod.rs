//! Whole nodes against each other: on sockets of this machine, and on a network in memory where time is simulated.

mod clients;
mod compression;
mod dialling;
mod forged;
mod joining;
mod lanes;
mod leaving;
mod links;
#[cfg(feature = "dns-srv")]
mod srv;
mod strangers;
mod support;
