//! A CA, and the certificates that it signs, in a folder of their own.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use casty::Tls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// A CA whose files go when it does.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("casty-trust-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self { folder, issuer: issuer() }
    }

    /// The certificate of a node that is dialled at 127.0.0.1.
    pub(crate) fn node(&self, node: &str) -> Tls {
        self.issue(node, "127.0.0.1", |_| {})
    }

    /// The certificate of a node for another host.
    pub(crate) fn for_host(&self, node: &str, host: &str) -> Tls {
        self.issue(node, host, |_| {})
    }

    /// A certificate that is good for so long, and not longer. Returns when it is over.
    pub(crate) fn short(&self, node: &str, lasting: Duration) -> (Tls, SystemTime) {
        let end = SystemTime::now() + lasting;
        (self.issue(node, "127.0.0.1", |params| params.not_after = end.into()), end)
    }

    /// A CA of the same folder takes over: it signs what is issued from now on.
    pub(crate) fn replace(&mut self) {
        self.issuer = issuer();
    }

    /// Spoils the key of a node.
    pub(crate) fn spoil(&self, node: &str) {
        fs::write(self.folder.join(format!("{node}.key")), "this was a key").unwrap();
    }

    fn issue(&self, node: &str, host: &str, change: impl FnOnce(&mut CertificateParams)) -> Tls {
        let (mut params, key) = (CertificateParams::new([host.to_owned()]).unwrap(), KeyPair::generate().unwrap());
        change(&mut params);
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let file = |extension: &str, pem: String| {
            let path = self.folder.join(format!("{node}.{extension}"));
            fs::write(&path, pem).unwrap();
            path
        };
        Tls::from_pem(file("ca", self.issuer.pem()), file("pem", cert.pem()), file("key", key.serialize_pem()))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
