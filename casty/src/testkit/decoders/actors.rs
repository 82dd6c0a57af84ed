//! What an actor of the program decodes.

use super::whole::whole;
use crate::actor::registration::{Origin, Outbound};
use crate::actor::state::{restore, save};
use crate::actor::{FromId, Persistent, Registered};

/// A message of the actor `A`: its wire tag (u32, little-endian), and its body.
pub fn message<A: Registered>(bytes: &[u8]) -> bool {
    whole(bytes, |bytes| decoded::<A>(bytes), |spelled| spelled.clone())
}

/// The bytes of a message, as [`message`] takes them.
pub fn message_sample<A: Registered>(message: A::Msg) -> Vec<u8> {
    let outbound = A::encode(message);
    assert!(outbound.is_ok(), "a message cannot be encoded: {:?}", outbound.as_ref().err());
    outbound.map(|outbound| joined(&outbound)).unwrap_or_default()
}

/// The persistent fields of the entity `A`.
pub fn state<A: Persistent + FromId>(bytes: &[u8]) -> bool {
    let load = |bytes: &[u8]| {
        let mut actor = A::create(&"sample".into())?;
        restore(&mut actor, bytes.to_vec()).ok().map(|_| actor)
    };
    whole(bytes, load, state_sample)
}

/// The persistent fields of an actor, as [`state`] takes them.
pub fn state_sample<A: Persistent>(actor: &A) -> Vec<u8> {
    let saved = save(actor);
    assert!(saved.is_ok(), "a state cannot be saved: {saved:?}");
    saved.unwrap_or_default()
}

/// Decodes a message, and encodes it at once: a message can be given away only once.
fn decoded<A: Registered>(bytes: &[u8]) -> Option<Vec<u8>> {
    let (tag, body) = bytes.split_first_chunk()?;
    let message = A::decode(u32::from_le_bytes(*tag), body, Origin::default()).ok()?;
    Some(message_sample::<A>(message))
}

fn joined(outbound: &Outbound) -> Vec<u8> {
    [&outbound.tag.to_le_bytes()[..], &outbound.body].concat()
}
