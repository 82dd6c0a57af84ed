//! What is wrong with the files of a certificate.

use std::io;
use std::path::PathBuf;

/// The certificates of a node cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read the {what} in `{}`: {source}", path.display())]
    Read {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds nothing of what it should hold.
    #[error("`{}` holds no {what} in PEM form", path.display())]
    Empty {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file holds what cannot be read.
    #[error("the {what} in `{}` cannot be read: {why}", path.display())]
    Malformed {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key is not that of the certificate.
    #[error("the key in `{}` does not belong to the certificate in `{}`", key.display(), cert.display())]
    OtherKey {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        cert: PathBuf,
    },
    /// The node's own certificate would be refused by its peers.
    #[error("the certificate in `{}` does not hold against the CA in `{}`: {why}", cert.display(), ca.display())]
    Worthless {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the CA.
        ca: PathBuf,
        /// Why it does not hold.
        why: String,
    },
    /// `server_name` is no name that a certificate could have.
    #[error("`{name}` is neither a DNS name nor an IP address; `server_name` is the name in the certificates")]
    ServerName {
        /// The name.
        name: String,
    },
}
