//! What the nodes of a cluster know, and nobody else.

use std::fmt;

use ring::hmac;

/// The shortest secret, in bytes. Who has watched a handshake without TLS can try secrets at home, so short ones are found.
pub const SECRET_BYTES_MIN: usize = 16;

/// What the nodes of a cluster know, and nobody else. It is proven and never sent, and no text shows it.
#[derive(Clone)]
pub struct Secret {
    key: hmac::Key,
    bytes: usize,
}

impl Secret {
    /// The secret, which should be drawn at random: `openssl rand -base64 32`.
    pub fn new(secret: impl AsRef<[u8]>) -> Self {
        let secret = secret.as_ref();
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), bytes: secret.len() }
    }

    /// Its length, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The key of those who have no secret.
    pub(super) fn none() -> Self {
        Self::new([])
    }

    pub(super) fn key(&self) -> &hmac::Key {
        &self.key
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
