//! The simulated network: connections that are TCP to the nodes, over links that fail.
//!
//! A connection keeps its order and loses nothing by itself: over a link that is cut, bytes wait, as they would be sent
//! again, until the link is whole or somebody gives the connection up. Different connections overtake one another.

mod dial;
mod links;
mod listener;
mod network;
mod pipe;
mod stream;
mod view;

pub(super) use links::Links;
pub(super) use network::Network;
pub(super) use view::HostNet;
