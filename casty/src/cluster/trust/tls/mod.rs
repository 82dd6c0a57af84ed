//! TLS as a program asks for it.

mod connect;
mod live;
mod load;
#[cfg(test)]
mod tests;

pub(in crate::cluster) use connect::explain;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;

use super::TlsError;
use live::Live;
use load::Files;

/// How links are encrypted, and how peers show that they belong to the cluster.
///
/// Both sides of a link verify that the other's certificate was signed by the CA, and the dialler also that it is for the name
/// that was dialled. TLS 1.3 only.
///
/// The files are read again when they change, before a new link is made: a certificate is renewed by replacing its files. What
/// cannot be used is warned of, and the node keeps what it had. Clones share what was read.
///
/// ```no_run
/// use casty::{ClusterConfig, Tls};
///
/// let config = ClusterConfig::new("10.0.0.1:8001").tls(Tls::from_pem("ca.pem", "node-1.pem", "node-1.key"));
/// ```
#[derive(Clone)]
pub struct Tls {
    /// `None` is plaintext.
    live: Option<Arc<Live>>,
    server_name: Option<String>,
}

impl Tls {
    /// Mutual TLS with the certificates in three files: the CA (one or several) that signs the certificates of all nodes, this
    /// node's certificate (with those between it and the CA behind it, if there are any), and its private key. They are read
    /// when the node starts.
    pub fn from_pem(ca: impl Into<PathBuf>, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let files = Files { ca: ca.into(), cert: cert.into(), key: key.into() };
        Self { live: Some(Arc::new(Live::new(files))), server_name: None }
    }

    /// No TLS: whoever is on the network reads, changes and forges what links carry. For one machine, for tests, and for
    /// networks that encrypt by themselves. The log warns of it once.
    pub fn insecure() -> Self {
        Self { live: None, server_name: None }
    }

    /// The name that the certificates of all nodes are for, where it is not the host that is dialled.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Reads the files now. On an error the node keeps what it had. Links that stand are not touched: new ones use the new
    /// certificates.
    pub fn reload(&self) -> Result<(), TlsError> {
        if let Some(name) = self.server_name.as_deref().filter(|name| ServerName::try_from(*name).is_err()) {
            return Err(TlsError::ServerName { name: name.to_owned() });
        }
        self.live.as_ref().map_or(Ok(()), |live| live.reload())
    }

    /// Whether it is plaintext.
    pub(super) fn is_insecure(&self) -> bool {
        self.live.is_none()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.live {
            None => f.write_str("Tls::insecure()"),
            Some(live) => {
                f.debug_struct("Tls").field("files", live.files()).field("server_name", &self.server_name).finish()
            }
        }
    }
}
