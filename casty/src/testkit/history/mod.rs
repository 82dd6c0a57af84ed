//! What the clients of a run asked, when, and what they were answered: the evidence that a check judges.
//!
//! Clients share one [`History`]. Before a client sends a request it [calls](History::call), and afterwards it tells the
//! [`Pending`] operation how it ended. Processes write their operations as they like, for instance as lines of JSON: they
//! are plain values with `serde`.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use casty::testkit::history::History;
//!
//! let (history, start) = (History::new(), Instant::now());
//! let pending = history.call(1, start.elapsed(), "deposit 100");
//! pending.returned(start.elapsed(), 100);
//! assert_eq!(history.operations().len(), 1);
//! ```

mod operation;
mod recorder;
#[cfg(test)]
mod tests;

pub use operation::{End, Operation};
pub use recorder::{History, Journal, Pending};
