//! How foca is set up.

use std::num::{NonZeroU8, NonZeroUsize};

use foca::{Config, PeriodicParams};

use crate::cluster::Timings;
use crate::cluster::limits::GOSSIP_BYTES_MAX;

/// Members that are asked to probe for another, and that are told news at a time.
const FAN_OUT: usize = 3;

/// How often one piece of news is told on.
const TELLINGS: u8 = 10;

/// Seeds, and members that are down, which are asked for the others at a time.
pub(super) const ANNOUNCE_TO: usize = 2;

pub(super) fn config(timings: &Timings) -> Config {
    let every = |frequency, members| Some(PeriodicParams { frequency, num_members: at_least_one(members) });
    Config {
        probe_period: timings.probe_every,
        probe_rtt: timings.probe_answer_max,
        num_indirect_probes: at_least_one(FAN_OUT),
        max_transmissions: NonZeroU8::MIN.saturating_add(TELLINGS - 1),
        suspect_to_down_after: timings.suspicion,
        remove_down_after: Some(timings.forget_after),
        max_packet_size: at_least_one(GOSSIP_BYTES_MAX),
        notify_down_members: true,
        periodic_announce: every(timings.announce_every, 1),
        periodic_announce_to_down_members: every(timings.announce_every, ANNOUNCE_TO),
        periodic_gossip: every(timings.gossip_every, FAN_OUT),
    }
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}
