//! Whom a node believes that they belong to its cluster, and how it says so itself: certificates, a shared secret, or, by
//! name only, nothing.

mod error;
mod nonces;
mod tls;

pub use error::TlsError;
pub use tls::Tls;
pub(super) use tls::explain;

use super::{ClusterError, Settings, Stream};
use crate::wire::{Channel, Features, HandshakeError, Preface, SECRET_BYTES_MIN, Secret, Versions};
use nonces::Nonces;

/// What a side brings to every handshake.
pub(crate) struct Trust {
    tls: Option<Tls>,
    secret: Option<Secret>,
    versions: Versions,
    nonces: Nonces,
}

impl Trust {
    /// Reads the certificates for the first time. Warns of what is not encrypted.
    pub(super) fn new(settings: &Settings) -> Result<Self, ClusterError> {
        if let Some(tls) = &settings.tls {
            tls.reload()?;
        }
        if settings.tls.as_ref().is_some_and(Tls::is_insecure) {
            tracing::warn!(
                secret = settings.secret.is_some(),
                "links are plaintext, as `Tls::insecure()` asks for: whoever is on the network reads and changes them"
            );
        } else if settings.tls.is_none() {
            tracing::info!("peers prove a shared secret; what links carry is not encrypted");
        }
        let nonces = if settings.nonces_from_seed { Nonces::seeded(settings.seed) } else { Nonces::System };
        Ok(Self { tls: settings.tls.clone(), secret: settings.secret.clone(), versions: settings.versions, nonces })
    }

    /// The secret that both sides prove, if there is one.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// A preface with a nonce that was never used.
    pub(super) fn preface(&self) -> Result<Preface, HandshakeError> {
        let secret = if self.secret.is_some() { Features::SECRET } else { Features::default() };
        Ok(Preface::new(self.versions, secret.with(Features::LZ4), secret, self.nonces.next()?))
    }

    /// Makes the dialler's end of a connection to `addr` confidential, if this node speaks TLS.
    pub(super) async fn dialled(&self, stream: Box<dyn Stream>, addr: &str) -> Result<Guarded, HandshakeError> {
        match &self.tls {
            Some(tls) => tls.connect(stream, addr).await,
            None => Ok(Guarded::plain(stream)),
        }
    }

    /// Makes the acceptor's end of a connection confidential, if this node speaks TLS.
    pub(super) async fn accepted(&self, stream: Box<dyn Stream>) -> Result<Guarded, HandshakeError> {
        match &self.tls {
            Some(tls) => tls.accept(stream).await,
            None => Ok(Guarded::plain(stream)),
        }
    }
}

/// A connection before its handshake, with what binds the handshake to it.
pub(super) struct Guarded {
    pub(super) stream: Box<dyn Stream>,
    pub(super) channel: Channel,
}

impl Guarded {
    /// A connection as the network gave it.
    pub(super) fn plain(stream: Box<dyn Stream>) -> Self {
        Self { stream, channel: Channel::default() }
    }
}

/// What is wrong with how nodes are to trust each other, if anything is.
pub(crate) fn check(tls: Option<&Tls>, secret: Option<&Secret>) -> Result<(), ClusterError> {
    match (tls, secret) {
        (None, None) => Err(ClusterError::NoTrust),
        (_, Some(secret)) if secret.bytes() < SECRET_BYTES_MIN => {
            Err(ClusterError::ShortSecret { bytes: secret.bytes(), min: SECRET_BYTES_MIN })
        }
        _ => Ok(()),
    }
}
