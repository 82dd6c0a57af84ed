//! The main job: a month of real flights, streamed into one entity per aircraft, while a node is killed
//! and another takes its place.
//!
//! The program starts node processes of itself, joins them as an observer, and sends every row of the file to the
//! entity of its `tailnum`, in file order and pipelined. In the middle of the stream it kills the node that leads the
//! most groups, and starts a fresh one under its name, which takes over replicas and leaderships. At the end it reads all
//! totals back from that cluster and compares them with a plain sequential fold over the file.
//!
//! Pure and tested without a cluster: [`rows`], [`totals`], [`ledger`], [`plant`], [`kills`], [`compare`], [`report`].
//! [`stream`] drives anything that is a [`Fleet`](fleet::Fleet); [`cluster`] is the real one.

pub mod aircraft;
pub mod children;
pub mod cluster;
pub mod compare;
pub mod error;
pub mod fleet;
pub mod job;
pub mod kills;
pub mod ledger;
pub mod node;
pub mod options;
pub mod outputs;
pub mod plant;
mod pump;
pub mod report;
pub mod rows;
pub mod stream;
pub mod summary;
pub mod totals;

pub use job::main_with;
