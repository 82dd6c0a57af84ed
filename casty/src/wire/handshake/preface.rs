//! The first bytes of each side. They never change.

use super::{Features, Versions};
use crate::codec::{Codec, Wire};
use crate::wire::{HandshakeError, Kind};

/// Bytes that a side has never said before.
pub(crate) type Nonce = [u8; NONCE_BYTES];

/// The length of a nonce.
pub(crate) const NONCE_BYTES: usize = 32;

/// The length of a preface with the head of its frame.
pub(crate) const PREFACE_FRAME_BYTES: usize = HEAD.len() + PREFACE_BYTES;

/// The length of a preface, in bytes: the magic number, the newest and the oldest version (u16), the codec (u8), what is offered
/// and what is needed (u64), the nonce; numbers are little-endian.
const PREFACE_BYTES: usize = MAGIC.len() + 2 + 2 + 1 + 8 + 8 + NONCE_BYTES;

const MAGIC: [u8; 4] = *b"csty";

/// The head of the frame that a preface is: its length with the kind, and the kind.
const HEAD: [u8; 5] = [PREFACE_BYTES as u8 + 1, 0, 0, 0, Kind::PREFACE.0];

/// With which bytes TLS begins: a handshake or an alert, and the version that all of TLS has had since 1.0.
const TLS_BEGINS: [[u8; 2]; 2] = [[22, 3], [21, 3]];

/// What one side speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preface {
    pub(crate) versions: Versions,
    pub(crate) codec: u8,
    /// What this side is able to.
    pub(crate) offers: Features,
    /// What the other side must be able to.
    pub(crate) needs: Features,
    pub(crate) nonce: Nonce,
}

impl Preface {
    /// The preface of a node that speaks `versions`.
    pub(crate) fn new(versions: Versions, offers: Features, needs: Features, nonce: Nonce) -> Self {
        Self { versions, codec: Wire::ID, offers, needs, nonce }
    }

    /// The preface as a frame.
    pub(crate) fn encode(&self) -> [u8; PREFACE_FRAME_BYTES] {
        let mut frame = [0; PREFACE_FRAME_BYTES];
        let mut rest = &mut frame[..];
        for part in [
            &HEAD[..],
            &MAGIC,
            &self.versions.newest.to_le_bytes(),
            &self.versions.oldest.to_le_bytes(),
            &[self.codec],
            &self.offers.0.to_le_bytes(),
            &self.needs.0.to_le_bytes(),
            &self.nonce,
        ] {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
        frame
    }

    /// Finds out from its first two bytes whether a connection may begin with a preface: few of those who do not speak casty
    /// say as many bytes as a preface has.
    pub(crate) fn expect(first: [u8; 2]) -> Result<(), HandshakeError> {
        if TLS_BEGINS.contains(&first) {
            return Err(HandshakeError::SpeaksTls);
        }
        if first != HEAD[..2] {
            return Err(HandshakeError::NotCasty);
        }
        Ok(())
    }

    /// Reads a preface from the frame that it is.
    pub(crate) fn decode(frame: &[u8; PREFACE_FRAME_BYTES]) -> Result<Self, HandshakeError> {
        let mut rest = &frame[..];
        let (head, magic) = (take::<5>(&mut rest), take::<4>(&mut rest));
        if head != Some(HEAD) || magic != Some(MAGIC) {
            return Err(HandshakeError::NotCasty);
        }
        let preface = |rest: &mut &[u8]| {
            let (newest, oldest) = (u16::from_le_bytes(take(rest)?), u16::from_le_bytes(take(rest)?));
            let [codec] = take(rest)?;
            let (offers, needs) = (u64::from_le_bytes(take(rest)?), u64::from_le_bytes(take(rest)?));
            let versions = Versions { newest, oldest };
            Some(Self { versions, codec, offers: Features(offers), needs: Features(needs), nonce: take(rest)? })
        };
        preface(&mut rest).ok_or(HandshakeError::NotCasty)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}
