//! Whether a history of concurrent operations looks as if an object had done them one at a time, each at one moment between
//! its call and its return (Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects", 1990).
//!
//! What an object should do is a [`Model`]; there are some for common objects in [`models`]. [`check`] takes one and a
//! [history](super::history), and [`check_each`] does so for each of many objects.
//!
//! ```
//! use std::time::Duration;
//! use casty::testkit::history::History;
//! use casty::testkit::linearizability::{Limits, Model, Verdict, check};
//!
//! /// An account that answers a deposit with its balance, and may be asked to pay out all.
//! struct Account;
//!
//! #[derive(Clone, PartialEq, Debug)]
//! enum Ask {
//!     Deposit(u64),
//!     PayOut,
//! }
//!
//! impl Model for Account {
//!     type State = u64;
//!     type Input = Ask;
//!     type Output = u64;
//!
//!     fn start(&self) -> u64 {
//!         0
//!     }
//!
//!     fn apply(&self, balance: &u64, ask: &Ask) -> (u64, u64) {
//!         match ask {
//!             Ask::Deposit(amount) => (balance + amount, balance + amount),
//!             Ask::PayOut => (0, *balance),
//!         }
//!     }
//! }
//!
//! let (history, ms) = (History::new(), Duration::from_millis);
//! let deposit = history.call(1, ms(0), Ask::Deposit(100));
//! let pay_out = history.call(2, ms(1), Ask::PayOut);
//! pay_out.returned(ms(2), 100);
//! deposit.returned(ms(3), 100);
//! assert_eq!(check(&Account, &history.operations(), Limits::default()), Verdict::Linearizable);
//!
//! // Money that is paid out twice.
//! history.call(3, ms(4), Ask::PayOut).returned(ms(5), 100);
//! let verdict = check(&Account, &history.operations(), Limits::default());
//! let Verdict::Violation(counterexample) = verdict else { panic!("{verdict:?}") };
//! assert!(counterexample.to_string().contains("PayOut -> 100, but 0 would be right"), "{counterexample}");
//! ```
//!
//! # How
//!
//! A check is the search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993, section 4) over a linked list of
//! events, with a memory of the configurations that it has seen (Lowe, "Testing for Linearizability", 2017, section 3).
//!
//! Operations of unknown outcome would make that search explode: each may come at any later time, or never. Four rules, none
//! of which changes a verdict, keep them cheap. One is placed only where it changes the state, and not where it undoes the
//! one placed just before it. Of two with equal inputs the one called first is placed first. A configuration is left when
//! another with the same answered operations and the same state placed fewer of them. And configurations with few are looked at
//! first. Where that is not enough, [`Model::may_yet_return`] is.

mod bitset;
mod budget;
mod check;
mod configuration;
mod counterexample;
mod memo;
mod model;
pub mod models;
mod optional;
mod queue;
mod search;
#[cfg(test)]
mod tests;
mod timeline;
mod tree;

pub use budget::Limits;
pub use check::{Verdict, check, check_each};
pub use counterexample::{Counterexample, Line, Stuck};
pub use model::Model;
