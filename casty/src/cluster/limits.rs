//! The bounds of what a node holds on behalf of its peers.

/// Bytes that may wait for one peer on the bulk lane. An empty lane takes one frame of any allowed size.
pub const BULK_BYTES_MAX: usize = 64 << 20;

/// Bytes that may wait for one peer on the control lane. An empty lane takes one frame of any allowed size.
pub const CONTROL_BYTES_MAX: usize = 16 << 20;

/// Bytes that are written at once, and one frame more.
pub(crate) const BATCH_BYTES: usize = 256 << 10;

/// A buffer that grew beyond this is given back to the system after use.
pub(crate) const SPARE_BYTES_MAX: usize = 1 << 20;

/// Peers that a node keeps links with.
pub(crate) const PEERS_MAX: usize = 1_024;

/// Clients that a node serves.
pub(crate) const CLIENTS_MAX: usize = 1_024;

/// Clients that a node can send to, wherever they are connected, with those that have just left.
pub(crate) const CLIENTS_KNOWN_MAX: usize = 65_536;

/// Bytes that may wait on the connection between a client and its node, in each direction: as many as on a bulk lane. An empty
/// one takes one frame of any allowed size.
pub(crate) const CLIENT_BYTES_MAX: usize = BULK_BYTES_MAX;

/// Addresses of one discovery that are followed.
pub(crate) const DISCOVERED_MAX: usize = 256;

/// Names of nodes that the membership protocol remembers, with those that are down.
pub(crate) const KNOWN_NODES_MAX: usize = 4_096;

/// Connections that are in the handshake at one time. For one more, the oldest that has not said hello has to go.
pub(crate) const HANDSHAKES_MAX: usize = 128;

/// Peers that are dialled back at one time, to see whether they can be. One more is refused, and tries again.
pub(crate) const CHECKS_MAX: usize = 128;

/// Inputs that wait for the membership protocol. Packets beyond are dropped, which it is made for.
pub(crate) const GOSSIP_QUEUE_MAX: usize = 1_024;

/// Timers of the membership protocol. Only those that forget a node are dropped beyond this: it is remembered longer.
pub(crate) const GOSSIP_TIMERS_MAX: usize = 65_536;

/// The largest packet of the membership protocol, in bytes. It fits the headers with three identities of full length.
pub(crate) const GOSSIP_BYTES_MAX: usize = 16 << 10;

/// Peers whose last failure is remembered, so that it is not logged again.
pub(crate) const NOTED_MAX: usize = 1_024;
