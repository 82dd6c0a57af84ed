//! A member that hears one packet: the decoder of gossip, for tests that hand it anything.

use std::sync::Arc;

use foca::{AccumulatingRuntime, Codec, Foca, Header, Message, NoCustomBroadcast};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::codec::GossipCodec;
use super::config::config;
use crate::cluster::Timings;
use crate::wire::{Member, Role};

/// Has a member hear the packet, which may say anything of anyone, and carries on until nothing more is wanted of it.
/// Returns whether the packet was understood. The member tells on what it heard; that is read again, and must be
/// understood.
pub(crate) fn hear(packet: &[u8]) -> bool {
    let mut member: Foca<Member, GossipCodec, StdRng, NoCustomBroadcast> = Foca::new(
        member("me"),
        config(&Timings::default()),
        StdRng::seed_from_u64(1),
        GossipCodec::new(member("me"), Arc::default()),
    );
    let mut wants = AccumulatingRuntime::<Member>::new();
    let understood = member.handle_data(packet, &mut wants).is_ok();
    let mut timers = Vec::new();
    while let Some((_, timer)) = wants.to_schedule() {
        timers.push(timer);
    }
    for timer in timers {
        // A timer of an earlier identity is an error, and no harm.
        let _ = member.handle_timer(timer, &mut wants);
    }
    while let Some((_, told)) = wants.to_send() {
        assert!(is_packet(&told), "a member sends what no member understands: {told:?}");
    }
    understood
}

/// Packets as members send them.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    let messages = [
        Message::Ping(1),
        Message::Ack(2),
        Message::PingReq { target: member("b"), probe_number: 3 },
        Message::IndirectPing { origin: member("b"), probe_number: 4 },
        Message::Gossip,
        Message::Announce,
        Message::Feed,
        Message::TurnUndead,
    ];
    messages.into_iter().map(packet).collect()
}

fn packet(message: Message<Member>) -> Vec<u8> {
    let mut codec = GossipCodec::new(member("a"), Arc::default());
    // Who announces itself tells nothing else.
    let news: &[_] = match message {
        Message::Announce => &[],
        _ => &[foca::Member::alive(member("b")), foca::Member::down(member("c"))],
    };
    let header = Header { src: member("a"), src_incarnation: 1, dst: member("me"), message };
    let mut packet = Vec::new();
    let written = codec.encode_header(&header, &mut packet).is_ok();
    if !news.is_empty() {
        packet.extend_from_slice(&(news.len() as u16).to_be_bytes());
    }
    let written = written && news.iter().all(|member| codec.encode_member(member, &mut packet).is_ok());
    assert!(written, "the codec refused a sample");
    packet
}

/// Whether the head of a packet is read back, by a reader whose name nobody else can have.
fn is_packet(mut packet: &[u8]) -> bool {
    GossipCodec::new(member(""), Arc::default()).decode_header(&mut packet).is_ok()
}

fn member(id: &str) -> Member {
    Member::new(id.into(), 1, format!("{id}:1"), Role::Replica)
}
