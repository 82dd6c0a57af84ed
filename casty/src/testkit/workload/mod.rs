//! Clients that keep a cluster busy in every way that casty promises something about, and write down what they saw.
//!
//! The same workload runs in simulations and on real processes: [`run`] is one client, [`Surroundings`] is what it needs of the
//! place where it runs, [`Books`] is where it writes, and [`Books::recording`] is what the checks of
//! [`invariants`](super::invariants) judge.

mod asking;
mod books;
mod client;
mod entries;
mod objects;
mod pace;
mod probe;
mod reads;
mod surroundings;

pub use books::{Books, Notes, Recording};
pub use client::run;
pub use entries::{Change, Entry};
pub use objects::{AccountInput, AccountModel, AccountOutput, Objects};
pub use pace::Pace;
pub use probe::read_all;
pub use surroundings::Surroundings;

/// The lower bits of a token.
const COUNT_BITS: u32 = 32;

/// A number out of two: a client's, and one that it counts.
fn token(client: u64, count: u64) -> u64 {
    (client << COUNT_BITS) + count
}

/// The client that made a token.
pub(in crate::testkit) fn client_of(token: u64) -> u64 {
    token >> COUNT_BITS
}
