//! TLS around a connection of any network, and what is told when it fails.

use std::io;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::Tls;
use crate::cluster::Stream;
use crate::cluster::trust::Guarded;
use crate::wire::{Channel, FrameError, HandshakeError};

/// What both ends derive from their TLS connection, to bind the handshake to it (RFC 9266 does so for other protocols).
const CHANNEL_LABEL: &[u8] = b"EXPORTER-casty-handshake";

/// Bytes that are taken from a refused connection, so that its other end hears why it was refused and not that it broke.
const UNREAD_BYTES_MAX: usize = 64 << 10;

impl Tls {
    /// The dialler's end of a connection to `addr`.
    pub(in crate::cluster::trust) async fn connect(
        &self,
        stream: Box<dyn Stream>,
        addr: &str,
    ) -> Result<Guarded, HandshakeError> {
        let Some(live) = &self.live else { return Ok(Guarded::plain(stream)) };
        let name = name_of(self.server_name.as_deref().unwrap_or_else(|| host(addr)))?;
        let loaded = live.current().await.map_err(|error| HandshakeError::Tls { why: error.to_string() })?;
        match TlsConnector::from(loaded.client.clone()).connect(name, stream).into_fallible().await {
            Ok(stream) => guarded(stream.into()),
            Err((error, stream)) => Err(refuse(error, stream).await),
        }
    }

    /// The acceptor's end of a connection.
    pub(in crate::cluster::trust) async fn accept(&self, stream: Box<dyn Stream>) -> Result<Guarded, HandshakeError> {
        let Some(live) = &self.live else { return Ok(Guarded::plain(stream)) };
        let loaded = live.current().await.map_err(|error| HandshakeError::Tls { why: error.to_string() })?;
        match TlsAcceptor::from(loaded.server.clone()).accept(stream).into_fallible().await {
            Ok(stream) => guarded(stream.into()),
            Err((error, stream)) => Err(refuse(error, stream).await),
        }
    }
}

impl Stream for TlsStream<Box<dyn Stream>> {}

fn guarded(stream: TlsStream<Box<dyn Stream>>) -> Result<Guarded, HandshakeError> {
    let exported = match &stream {
        TlsStream::Client(client) => client.get_ref().1.export_keying_material(Channel::default(), CHANNEL_LABEL, None),
        TlsStream::Server(server) => server.get_ref().1.export_keying_material(Channel::default(), CHANNEL_LABEL, None),
    };
    let channel = exported.map_err(|error| HandshakeError::Tls { why: error.to_string() })?;
    Ok(Guarded { stream: Box::new(stream), channel })
}

/// Ends a connection whose TLS has failed. A connection that is closed with bytes unread is broken off, and the alert that
/// says why is lost with it; so it is read to its end, which the time of the handshake bounds.
async fn refuse(error: io::Error, mut stream: Box<dyn Stream>) -> HandshakeError {
    // The other end may be gone, and then nobody needs to be told.
    let _ = stream.shutdown().await;
    let (mut unread, mut left) = ([0; 1024], UNREAD_BYTES_MAX);
    while let Ok(count @ 1..) = stream.read(&mut unread).await {
        left = left.saturating_sub(count);
        if left == 0 {
            break;
        }
    }
    in_tls(error)
}

/// Says what a broken connection is about, where TLS broke it: the other side refuses a certificate after TLS has begun.
pub(in crate::cluster) fn explain(error: HandshakeError) -> HandshakeError {
    match error {
        HandshakeError::Frame(FrameError::Io(error)) if cause(&error).is_some() => in_tls(error),
        error => error,
    }
}

fn in_tls(error: io::Error) -> HandshakeError {
    match cause(&error) {
        Some(rustls::Error::InvalidMessage(_)) => HandshakeError::NotTls,
        Some(cause @ (rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)) => {
            HandshakeError::Distrusted { why: complaint(cause) }
        }
        Some(rustls::Error::AlertReceived(alert)) if is_about_certificate(*alert) => {
            HandshakeError::NotTrusted { why: format!("{alert:?}") }
        }
        Some(other) => HandshakeError::Tls { why: other.to_string() },
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            HandshakeError::Tls { why: "the other side closed the connection; does it speak TLS?".to_owned() }
        }
        None => error.into(),
    }
}

fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn is_about_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError
            | A::CertificateRequired
    )
}

/// What is wrong with a certificate, in words.
pub(super) fn complaint(error: &rustls::Error) -> String {
    match error {
        // The second where the other CA bears the same name.
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "it was not signed by this CA".to_owned()
        }
        rustls::Error::InvalidCertificate(other) => other.to_string(),
        rustls::Error::NoCertificatesPresented => "it showed none".to_owned(),
        other => other.to_string(),
    }
}

fn name_of(host: &str) -> Result<ServerName<'static>, HandshakeError> {
    ServerName::try_from(host.to_owned()).map_err(|_| HandshakeError::Distrusted {
        why: format!("`{host}`, which was dialled, is no name that a certificate could have; set `Tls::server_name`"),
    })
}

/// The host of `host:port`, without the brackets of an IPv6 address.
fn host(addr: &str) -> &str {
    let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
