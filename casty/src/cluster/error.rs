//! What goes wrong when a node joins others or sends to them.

use std::io;

use super::{Lane, TlsError};

/// A node could not begin to take part in a cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The node listens on all interfaces and does not know which of its addresses the others reach.
    #[error(
        "`{address}` means every interface and cannot be dialled by others; \
         name the address that they reach with `.advertise(\"host:port\")`"
    )]
    Wildcard {
        /// The address that would have been told to others.
        address: String,
    },
    /// An address is not `host:port`.
    #[error("the {what} address `{address}` is not of the form host:port")]
    Address {
        /// Which address: bind, advertise or seed.
        what: &'static str,
        /// The address.
        address: String,
    },
    /// A name is empty or too long.
    #[error("the {what} has {bytes} bytes, allowed are 1 to {max}")]
    Name {
        /// Which name.
        what: &'static str,
        /// Its length, in bytes.
        bytes: usize,
        /// The longest that is allowed, in bytes.
        max: usize,
    },
    /// The timings contradict each other.
    #[error("the timings cannot work: {why}")]
    Timings {
        /// What is wrong with them.
        why: &'static str,
    },
    /// Nothing says how nodes know that a peer belongs to the cluster.
    #[error(
        "nothing says whom to trust: give all nodes certificates with `.tls(Tls::from_pem(ca, cert, key))`, or a shared \
         secret with `.secret(\"..\")`, or have plaintext that anybody can join with `.tls(Tls::insecure())`"
    )]
    NoTrust,
    /// The shared secret could be guessed.
    #[error("a secret of {bytes} bytes can be guessed: {min} or more, drawn at random (`openssl rand -base64 32`)")]
    ShortSecret {
        /// Its length, in bytes.
        bytes: usize,
        /// The shortest that is allowed, in bytes.
        min: usize,
    },
    /// The certificates cannot be used.
    #[error("TLS is not possible: {0}")]
    Tls(#[from] TlsError),
    /// The node could not listen.
    #[error("cannot listen on `{address}`: {source}; is the port taken, or the address another machine's?")]
    Bind {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A frame was not queued. Nothing of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailure {
    /// There is no link to the peer at the moment.
    #[error("there is no link to the node at the moment; wait for `PeerEvent::LinkUp`")]
    NotConnected,
    /// The peer takes bytes more slowly than they are sent.
    #[error("{queued} bytes wait on the {lane:?} lane of the link, of {max} allowed; send again when it has drained")]
    Full {
        /// The lane.
        lane: Lane,
        /// The bytes that wait, in bytes.
        queued: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// The body is larger than a frame may be.
    #[error("a frame of {bytes} bytes is over the limit of {max}; send less at a time")]
    TooLarge {
        /// The body's length, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        max: usize,
    },
}
