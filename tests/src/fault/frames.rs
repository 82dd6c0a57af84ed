//! One direction of a connection, cut into frames.

use casty::cluster::Kind;

use super::gate::Gate;

/// A frame begins with its length (u32, little-endian), which counts the kind (u8) and the body behind it.
const LENGTH_BYTES: usize = 4;

/// The bytes of one direction of a connection. What may not pass waits, and goes first when it may.
#[derive(Default)]
pub(super) struct Frames {
    /// The beginning of a frame that is not whole.
    unfinished: Vec<u8>,
    held: Vec<(Kind, Vec<u8>)>,
    pub(super) passed: Vec<u8>,
}

impl Frames {
    /// Takes the next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.unfinished.extend_from_slice(bytes);
        while let Some(length) = self.unfinished.first_chunk::<LENGTH_BYTES>() {
            let end = LENGTH_BYTES + u32::from_le_bytes(*length) as usize;
            if self.unfinished.len() < end.max(LENGTH_BYTES + 1) {
                break;
            }
            let rest = self.unfinished.split_off(end);
            let frame = std::mem::replace(&mut self.unfinished, rest);
            self.held.push((Kind(frame[LENGTH_BYTES]), frame));
        }
    }

    /// Lets pass what may.
    pub(super) fn sort(&mut self, gate: &Gate) {
        let Self { held, passed, .. } = self;
        held.retain(|(kind, frame)| {
            let passes = gate.passes(*kind);
            if passes {
                passed.extend_from_slice(frame);
            }
            !passes
        });
    }
}
