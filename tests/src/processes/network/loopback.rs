//! Addresses of nodes that share the machine's own network.

use std::net::Ipv4Addr;

use super::Run;

/// The address of a node: all of 127.0.0.0/8 is this machine, so that runs need no ports of their own.
pub(super) fn ip(run: Run, node: usize) -> Ipv4Addr {
    let [_, middle, low] = run.bytes();
    Ipv4Addr::new(127, middle, low, node as u8 + 1)
}
