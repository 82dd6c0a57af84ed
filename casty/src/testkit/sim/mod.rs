//! Whole clusters in one thread, on simulated time, network and disks, from one seed.
//!
//! The nodes are real: the code that runs in production runs here, and only what it stands on is another, handed in from
//! outside. Time is that of tokio's paused clock, so seconds pass in milliseconds. The network loses connections, delays and
//! cuts them; processes are killed and stand still; clocks jump; disks are slow. All of it follows from one seed: the same
//! seed is the same run, to the last byte that is delivered, in every process.
//!
//! A test of one's own actors says which clients run on the nodes, and what must hold at the end, when the faults are over
//! and the cluster has healed. Beside it, what casty itself promises is checked after every step
//! ([`invariants`](super::invariants)).
//!
//! ```
//! # use casty::prelude::*;
//! # #[message] pub struct Deposit { pub amount: u64 }
//! # #[message] pub struct GetBalance;
//! # #[persistent] pub struct Account { balance: u64 }
//! # #[actor] impl Account {
//! #     fn new(_id: EntityId) -> Self { Self { balance: 0 } }
//! #     #[handler] fn deposit(&mut self, msg: Deposit) -> u64 { self.balance += msg.amount; self.balance }
//! #     #[handler] fn balance(&self, _: GetBalance) -> u64 { self.balance }
//! # }
//! use std::time::Duration;
//! use casty::testkit::sim::{Client, Faults, Sim};
//!
//! # fn main() {
//! // In a project, this is the body of a `#[test]`.
//! Sim::new(3).faults(Faults::all()).lasting(Duration::from_secs(4)).run(0..2, |run| {
//!     run.client(|mut client: Client| async move {
//!         let Ok(accounts) = client.node().sharded::<Account>("account").start().await else { return };
//!         while client.goes_on() {
//!             let user = format!("user-{}", client.random(0..5));
//!             // Faults may make it fail; what matters is that nothing wrong is answered.
//!             let _ = accounts.ask(user, Deposit { amount: 1 }).await;
//!         }
//!     });
//!     run.finally("every account answers", |client| async move {
//!         let accounts = client.node().sharded::<Account>("account").start().await.map_err(|e| e.to_string())?;
//!         for user in 0..5 {
//!             accounts.ask(format!("user-{user}"), GetBalance).await.map_err(|e| e.to_string())?;
//!         }
//!         Ok(())
//!     });
//! });
//! # }
//! ```
//!
//! A run that fails prints the seed, what happened before, and the command that does the same again:
//! `CASTY_SIM_SEED=17 cargo test …`. [`History`](super::history::History) and
//! [`linearizability`](super::linearizability) check what clients saw.
//!
//! # What it asks of a project
//!
//! - The feature `sim`, in the dev-dependencies.
//! - `--cfg tokio_unstable` for the build, since tokio's own random choices can be seeded under this flag only. In
//!   `.cargo/config.toml`: `[build]`, `rustflags = ["--cfg", "tokio_unstable"]`. Without it every run fails and says so.
//! - Actors and clients whose behaviour follows from what they are told: time from `tokio::time`, random numbers from
//!   [`Client::random`], no threads, and no order of a `HashMap` with its random hasher.
//!
//! # What is not simulated yet
//!
//! State lives in memory, so a node that crashes comes back as a new one, and a run kills at most a minority of each group's
//! replicas. Disks that fail, and restarts of all nodes at once, come with durable storage.

mod client;
mod clock;
mod cluster;
mod disk;
mod failure;
mod fault;
mod faults_on;
mod host;
mod log;
mod mixed;
mod net;
mod pace;
mod panics;
mod plan;
mod scenario;
#[expect(clippy::module_inception, reason = "the type `Sim` stands in a file of its name")]
mod sim;
mod simulation;
mod trace;

pub use client::Client;
pub use cluster::Cluster;
pub(crate) use cluster::{GroupOf, Replica};
pub use failure::{Failure, Passed};
pub use fault::{FaultKind, Faults};
pub use scenario::Scenario;
pub use sim::Sim;
pub use trace::{Fingerprint, Line};
