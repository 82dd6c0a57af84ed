//! What is counted of links, through the facade of the `metrics` crate.

use metrics::{counter, describe_counter};

const HANDSHAKES_FAILED: &str = "casty_handshakes_failed_total";

/// A handshake that came to nothing, on one side of it: `dialler` or `acceptor`. The label `reason` tells why.
#[cold]
pub(super) fn handshake_failed(cluster_name: &str, side: &'static str, reason: &'static str) {
    describe_counter!(HANDSHAKES_FAILED, "Connections that were refused, or broke, before they were links.");
    counter!(HANDSHAKES_FAILED, "system" => cluster_name.to_owned(), "side" => side, "reason" => reason).increment(1);
}
