//! Challenges that nobody can foresee.

use parking_lot::Mutex;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

use crate::base::stable_hash_parts;
use crate::wire::{HandshakeError, NONCE_BYTES, Nonce};

/// Where nonces come from.
pub(super) enum Nonces {
    /// The operating system.
    System,
    /// A seed: for simulations, which have no strangers and must be the same each time.
    Seeded(Box<Mutex<StdRng>>),
}

impl Nonces {
    pub(super) fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(Mutex::new(StdRng::seed_from_u64(stable_hash_parts(&[&seed.to_le_bytes(), b"nonces"])))))
    }

    pub(super) fn next(&self) -> Result<Nonce, HandshakeError> {
        let mut nonce = [0; NONCE_BYTES];
        match self {
            Self::System => SysRng
                .try_fill_bytes(&mut nonce)
                .map_err(|error| HandshakeError::NoRandomness { why: error.to_string() })?,
            Self::Seeded(rng) => rng.lock().fill_bytes(&mut nonce),
        }
        Ok(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nonce_comes_twice() {
        for nonces in [Nonces::System, Nonces::seeded(7)] {
            assert_ne!(nonces.next().unwrap(), nonces.next().unwrap());
        }
    }

    #[test]
    fn a_simulation_is_the_same_each_time_and_nothing_else_is() {
        assert_eq!(Nonces::seeded(7).next().unwrap(), Nonces::seeded(7).next().unwrap());
        assert_ne!(Nonces::System.next().unwrap(), Nonces::System.next().unwrap());
    }
}
