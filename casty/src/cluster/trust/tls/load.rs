//! Three files become a configuration, or an error that names the one that is to blame.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::connect::complaint;
use crate::cluster::TlsError;

/// Where the certificates are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) ca: PathBuf,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// What is in the files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    ca: Vec<u8>,
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// Both ends of TLS, ready for use.
pub(super) struct Loaded {
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
}

const CA: &str = "CA";
const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

impl Files {
    /// Reads the files.
    pub(super) fn read(&self) -> Result<Contents, TlsError> {
        let read =
            |what, path: &Path| fs::read(path).map_err(|source| TlsError::Read { what, path: path.to_owned(), source });
        Ok(Contents { ca: read(CA, &self.ca)?, cert: read(CERTIFICATE, &self.cert)?, key: read(KEY, &self.key)? })
    }

    /// Makes a configuration of what was read, and finds out whether peers would take this node's certificate.
    pub(super) fn load(&self, contents: &Contents) -> Result<Loaded, TlsError> {
        let mut roots = RootCertStore::empty();
        for ca in certificates(CA, &self.ca, &contents.ca)? {
            roots.add(ca).map_err(|error| malformed(CA, &self.ca, error))?;
        }
        let chain = certificates(CERTIFICATE, &self.cert, &contents.cert)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|error| unreadable(KEY, &self.key, error))?;
        let (roots, provider) = (Arc::new(roots), Arc::new(ring::default_provider()));
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| malformed(CA, &self.ca, error))?;
        let (own, between) = chain.split_first().ok_or_else(|| empty(CERTIFICATE, &self.cert))?;
        verifier.verify_client_cert(own, between, UnixTime::now()).map_err(|error| self.worthless(&error))?;
        self.check_key(&provider, &chain, &key)?;
        let failed = |error| self.worthless(&error);
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(failed)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(failed)?;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(failed)?;
        // Links are few and last long. A session that is resumed would pass by the check of a certificate that has expired.
        server.send_tls13_tickets = 0;
        client.resumption = Resumption::disabled();
        Ok(Loaded { client: Arc::new(client), server: Arc::new(server) })
    }

    fn check_key(
        &self,
        provider: &CryptoProvider,
        chain: &[CertificateDer<'static>],
        key: &PrivateKeyDer<'static>,
    ) -> Result<(), TlsError> {
        let signer = provider.key_provider.load_private_key(key.clone_key());
        let signer = signer.map_err(|error| malformed(KEY, &self.key, error))?;
        match rustls::sign::CertifiedKey::new(chain.to_vec(), signer).keys_match() {
            // Some keys do not tell, and then the first handshake does.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(()),
            Err(_) => Err(TlsError::OtherKey { key: self.key.clone(), cert: self.cert.clone() }),
        }
    }

    fn worthless(&self, error: &rustls::Error) -> TlsError {
        TlsError::Worthless { cert: self.cert.clone(), ca: self.ca.clone(), why: complaint(error) }
    }
}

fn certificates(what: &'static str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| unreadable(what, path, error))?;
    if all.is_empty() { Err(empty(what, path)) } else { Ok(all) }
}

fn unreadable(what: &'static str, path: &Path, error: pem::Error) -> TlsError {
    match error {
        pem::Error::NoItemsFound => empty(what, path),
        error => malformed(what, path, error),
    }
}

fn malformed(what: &'static str, path: &Path, error: impl std::fmt::Display) -> TlsError {
    TlsError::Malformed { what, path: path.to_owned(), why: error.to_string() }
}

fn empty(what: &'static str, path: &Path) -> TlsError {
    TlsError::Empty { what, path: path.to_owned() }
}
