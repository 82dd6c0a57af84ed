//! Certificates in files, and what is said of those that are no good.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::interval;
use tokio_rustls::TlsConnector;

use super::*;
use crate::cluster::trust::Guarded;
use crate::wire::HandshakeError;

type Ca = CertifiedIssuer<'static, KeyPair>;

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("casty-tls-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ca() -> Ca {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ca::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issue(ca: &Ca, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let (mut params, key) = (CertificateParams::new([name.to_owned()]).unwrap(), KeyPair::generate().unwrap());
    change(&mut params);
    (params.signed_by(&key, ca).unwrap().pem(), key.serialize_pem())
}

/// The files of a node that this CA vouches for.
fn files(folder: &Folder, ca: &Ca, name: &str) -> Tls {
    files_with(folder, ca, name, |_| {})
}

fn files_with(folder: &Folder, ca: &Ca, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Tls {
    let (cert, key) = issue(ca, name, change);
    fs::write(folder.file("ca.pem"), ca.pem()).unwrap();
    fs::write(folder.file("node.pem"), cert).unwrap();
    fs::write(folder.file("node.key"), key).unwrap();
    Tls::from_pem(folder.file("ca.pem"), folder.file("node.pem"), folder.file("node.key"))
}

/// What both ends of a connection to `addr` say of it.
async fn both(
    dialler: &Tls,
    acceptor: &Tls,
    addr: &str,
) -> (Result<Guarded, HandshakeError>, Result<Guarded, HandshakeError>) {
    let (near, far) = duplex(64 << 10);
    let dialling = async {
        let mut guarded = dialler.connect(Box::new(near), addr).await?;
        // The acceptor judges the dialler's certificate after the dialler's part of TLS is over.
        guarded.stream.write_all(b"a word").await?;
        let mut answer = [0; 1];
        guarded.stream.read_exact(&mut answer).await.map_err(|error| explain(error.into()))?;
        Ok(guarded)
    };
    let accepting = async {
        let mut guarded = acceptor.accept(Box::new(far)).await?;
        guarded.stream.write_all(b"a").await?;
        Ok(guarded)
    };
    tokio::join!(dialling, accepting)
}

fn fault(tls: &Tls, file: &Path) -> String {
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains(&file.display().to_string()), "{error}");
    error
}

#[tokio::test]
async fn two_nodes_of_one_ca_meet_and_derive_the_same_channel_each_time_another() {
    let (folder, other, ca) = (Folder::new(), Folder::new(), ca());
    let (a, b) = (files(&folder, &ca, "localhost"), files(&other, &ca, "127.0.0.1"));
    let mut channels = Vec::new();
    for _ in 0..2 {
        let (dialler, acceptor) = both(&a, &b, "127.0.0.1:1").await;
        let (dialler, acceptor) = (dialler.unwrap().channel, acceptor.unwrap().channel);
        assert_eq!(dialler, acceptor);
        channels.push(dialler);
    }
    assert_ne!(channels[0], channels[1]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_both_names_are_told() {
    let (folder, ca) = (Folder::new(), ca());
    let node = files(&folder, &ca, "node-1.example.org");
    let (dialler, acceptor) = both(&node, &node, "node-2.example.org:1").await;
    let (dialler, acceptor) = (dialler.err().unwrap().to_string(), acceptor.err().unwrap().to_string());
    assert!(dialler.contains("node-1.example.org") && dialler.contains("node-2.example.org"), "{dialler}");
    assert!(acceptor.contains("does not trust this node's certificate"), "{acceptor}");
    let fixed = node.clone().server_name("node-1.example.org");
    let ends = both(&fixed, &node, "node-2.example.org:1").await;
    assert!(ends.0.is_ok() && ends.1.is_ok());
}

#[tokio::test]
async fn a_certificate_of_another_ca_is_refused_on_either_side() {
    let (folder, other) = (Folder::new(), Folder::new());
    let (ours, theirs) = (files(&folder, &ca(), "localhost"), files(&other, &ca(), "localhost"));
    let (dialler, acceptor) = both(&ours, &theirs, "localhost:1").await;
    assert!(matches!(dialler, Err(HandshakeError::Distrusted { .. })));
    assert!(matches!(acceptor, Err(HandshakeError::NotTrusted { .. })));
    // A dialler that trusts the acceptor, and is not trusted itself.
    let both_cas = format!(
        "{}{}",
        fs::read_to_string(folder.file("ca.pem")).unwrap(),
        fs::read_to_string(other.file("ca.pem")).unwrap()
    );
    fs::write(folder.file("ca.pem"), both_cas).unwrap();
    ours.reload().unwrap();
    let (dialler, acceptor) = both(&ours, &theirs, "localhost:1").await;
    assert!(matches!(dialler, Err(HandshakeError::NotTrusted { .. })), "{:?}", dialler.err());
    assert!(matches!(acceptor, Err(HandshakeError::Distrusted { .. })));
}

#[tokio::test]
async fn a_dialler_that_shows_no_certificate_is_refused() {
    let (folder, ca) = (Folder::new(), ca());
    let acceptor = files(&folder, &ca, "localhost");
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let client = client.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let (near, far) = duplex(64 << 10);
    let dialling = async {
        // Its part of TLS is over before the acceptor judges.
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(client)).connect(name, near).await.unwrap();
        stream.read_u8().await.unwrap_err()
    };
    // One that is let in hears nothing either: its connection is dropped.
    let accepting = async { acceptor.accept(Box::new(far)).await.map(drop) };
    let (_, accepted) = tokio::join!(dialling, accepting);
    let error = accepted.expect_err("a stranger was let in");
    assert!(matches!(&error, HandshakeError::Distrusted { why } if why == "it showed none"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_expires_while_its_node_runs_is_refused_on_either_side() {
    let (folder, other, ca) = (Folder::new(), Folder::new(), ca());
    let end = SystemTime::now() + Duration::from_secs(2);
    let lasting = files(&folder, &ca, "localhost");
    let short = files_with(&other, &ca, "localhost", |params| params.not_after = end.into());
    lasting.reload().unwrap();
    short.reload().unwrap();
    let mut looks = interval(Duration::from_millis(10));
    while SystemTime::now() < end + Duration::from_secs(1) {
        looks.tick().await;
    }
    let (dialler, acceptor) = both(&lasting, &short, "localhost:1").await;
    let error = dialler.err().expect("the dialler took it");
    assert!(matches!(&error, HandshakeError::Distrusted { why } if why.contains("expired")), "{error}");
    assert!(matches!(acceptor, Err(HandshakeError::NotTrusted { .. })));
    let (dialler, acceptor) = both(&short, &lasting, "localhost:1").await;
    let error = acceptor.err().expect("the acceptor took it");
    assert!(matches!(&error, HandshakeError::Distrusted { why } if why.contains("expired")), "{error}");
    assert!(matches!(dialler, Err(HandshakeError::NotTrusted { .. })));
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_what_is_wrong() {
    let (folder, other, ca) = (Folder::new(), Folder::new(), ca());
    let tls = files(&folder, &ca, "localhost");
    tls.reload().unwrap();
    let (cert, key) = (folder.file("node.pem"), folder.file("node.key"));
    let (good_cert, good_key) = (fs::read(&cert).unwrap(), fs::read(&key).unwrap());
    fs::remove_file(&cert).unwrap();
    assert!(fault(&tls, &cert).contains("cannot read the certificate"));
    fs::write(&cert, "nothing").unwrap();
    assert!(fault(&tls, &cert).contains("holds no certificate"));
    fs::write(&cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    fault(&tls, &cert);
    fs::write(&cert, &good_cert).unwrap();
    fs::write(&key, &good_cert).unwrap();
    assert!(fault(&tls, &key).contains("holds no private key"));
    fs::write(&key, issue(&ca, "localhost", |_| {}).1).unwrap();
    assert!(fault(&tls, &key).contains("does not belong to the certificate"));
    fs::write(&key, &good_key).unwrap();
    let (expired, its_key) = issue(&ca, "localhost", |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    });
    fs::write(&cert, expired).unwrap();
    fs::write(&key, its_key).unwrap();
    assert!(fault(&tls, &cert).contains("expired"));
    fs::write(&cert, good_cert).unwrap();
    fs::write(&key, good_key).unwrap();
    tls.reload().unwrap();
    drop(files(&other, &self::ca(), "localhost"));
    fs::copy(other.file("ca.pem"), folder.file("ca.pem")).unwrap();
    assert!(fault(&tls, &cert).contains("not signed by this CA"));
    assert!(tls.server_name("no name").reload().unwrap_err().to_string().contains("`no name`"));
}

#[tokio::test(start_paused = true)]
async fn files_that_change_are_used_soon_and_bad_ones_never() {
    let (folder, before, after) = (Folder::new(), ca(), ca());
    let tls = files(&folder, &before, "localhost");
    tls.reload().unwrap();
    let live = tls.live.clone().unwrap();
    let first = live.current().await.unwrap();
    let is_first = |now: &Arc<load::Loaded>| Arc::ptr_eq(&first.client, &now.client);
    fs::write(folder.file("node.key"), "not a key any more").unwrap();
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    assert!(is_first(&live.current().await.unwrap()), "a bad file was taken");
    files(&folder, &after, "localhost");
    assert!(is_first(&live.current().await.unwrap()), "it was looked at more than once in two seconds");
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    assert!(!is_first(&live.current().await.unwrap()), "a new file was not taken");
}
