//! What the stream needs of a cluster.

use casty::base::{BoxError, GroupId, NodeId};
use futures_util::future::LocalBoxFuture;

use super::error::FlightsError;
use super::rows::Flight;
use super::summary::Summary;

/// The answer to one request.
pub type Reply<T> = LocalBoxFuture<'static, Result<T, BoxError>>;

/// A cluster of aircraft, as the stream needs it. A test has one without a cluster.
pub trait Fleet {
    /// Tells an aircraft of its departure number `ordinal`. The request leaves when the future is polled first.
    fn depart(&self, ordinal: u64, flight: &Flight) -> Reply<u64>;
    /// Asks the aircraft `tailnum`, which was told of `sent` departures, for all that it knows.
    fn report(&self, tailnum: &str, sent: u64) -> Reply<Summary>;
    /// The group that the aircraft `tailnum` belongs to.
    fn group_of(&self, tailnum: &str) -> GroupId;
    /// Who leads each group, as far as is known here.
    fn leaders(&self) -> Vec<(GroupId, Option<NodeId>)>;
    /// The nodes that have not been killed.
    fn living(&self) -> Vec<NodeId>;
    /// Kills a node at once, without a chance to say goodbye, and begins to replace it if that is wanted.
    fn kill(&mut self, node: &NodeId) -> Result<(), FlightsError>;
    /// Waits until every killed node that is being replaced has a successor that takes part. It may be dropped, and called
    /// again.
    fn whole(&mut self) -> LocalBoxFuture<'_, Result<(), FlightsError>>;
}
