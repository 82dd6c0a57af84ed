//! Says and hears the words of the handshake on a connection.

use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::cluster::Stream;
use crate::cluster::trust::{Guarded, Trust};
use crate::codec::{decode, encode};
use crate::wire::{
    Exchange, FrameReader, HANDSHAKE_BYTES_MAX, HandshakeError, Hello, Kind, Member, PREFACE_FRAME_BYTES, Preface,
    Reason, Side, Terms, append,
};

/// The reading half of a connection.
pub(crate) type Reader = FrameReader<Box<dyn AsyncRead + Send + Unpin>>;
/// The writing half of a connection.
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection whose acceptor has agreed, in the hands of its dialler.
pub(crate) struct Greeted {
    /// Who answered.
    pub(crate) member: Member,
    pub(crate) terms: Terms,
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
}

/// A connection whose dialler belongs to those who know the secret, in the hands of its acceptor.
pub(crate) struct Guest {
    pub(crate) hello: Hello,
    /// Frames have the size of the handshake's until [`FrameReader::set_bytes_max`].
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    exchange: Exchange,
}

/// Gives up a step of the handshake after `max`.
pub(crate) async fn within<T, E>(max: Duration, step: impl Future<Output = Result<T, E>>) -> Result<T, HandshakeError>
where
    HandshakeError: From<E>,
{
    Ok(timeout(max, step).await.map_err(|_| HandshakeError::TimedOut { after: max })??)
}

/// The dialler's part: says what it speaks and who it is, and hears who answers.
pub(crate) async fn greet(guarded: Guarded, trust: &Trust, hello: &Hello) -> Result<Greeted, HandshakeError> {
    let Guarded { mut stream, channel } = guarded;
    let ours = trust.preface()?;
    say(&mut stream, &ours.encode()).await?;
    let theirs = hear_preface(&mut stream).await?;
    let mut exchange = Exchange::begin(Side::Dialler, trust.secret(), channel, &ours, &theirs)?;
    let (mut reader, mut writer) = halves(stream);
    say_proven(&mut writer, &mut exchange, Kind::HELLO, hello).await?;
    match reader.next(Duration::MAX).await?.ok_or(HandshakeError::Closed)? {
        (Kind::WELCOME, body) => {
            let member = decode(exchange.check(Kind::WELCOME, &body)?)?;
            Ok(Greeted { member, terms: exchange.terms(), reader, writer })
        }
        (Kind::REFUSAL, body) => Err(decode::<Reason>(exchange.check(Kind::REFUSAL, &body)?)?.at_dialler()),
        (Kind::UNPROVEN, _) => Err(HandshakeError::Unproven),
        _ => Err(HandshakeError::NotCasty),
    }
}

/// The acceptor's first part: hears what the dialler speaks and who it is, of which nothing is decoded before it is proven.
pub(crate) async fn receive(guarded: Guarded, trust: &Trust) -> Result<Guest, HandshakeError> {
    let Guarded { mut stream, channel } = guarded;
    let ours = trust.preface()?;
    let theirs = hear_preface(&mut stream).await;
    if matches!(theirs, Ok(_) | Err(HandshakeError::SpeaksTls)) {
        // Whoever began with TLS learns from it that this node does not.
        say(&mut stream, &ours.encode()).await?;
    }
    let mut exchange = Exchange::begin(Side::Acceptor, trust.secret(), channel, &ours, &theirs?)?;
    let (mut reader, mut writer) = halves(stream);
    let (Kind::HELLO, body) = reader.next(Duration::MAX).await?.ok_or(HandshakeError::Closed)? else {
        return Err(HandshakeError::NotCasty);
    };
    match exchange.check(Kind::HELLO, &body) {
        Ok(word) => Ok(Guest { hello: decode(word)?, reader, writer, exchange }),
        Err(error) => {
            say(&mut writer, &framed(Kind::UNPROVEN, &[])?).await?;
            writer.shutdown().await?;
            Err(error)
        }
    }
}

impl Guest {
    /// The acceptor's second part: it is `me`, and agrees.
    pub(crate) async fn welcome(&mut self, me: &Member) -> io::Result<()> {
        say_proven(&mut self.writer, &mut self.exchange, Kind::WELCOME, me).await
    }

    /// The acceptor's second part: it does not agree, and ends the connection.
    pub(crate) async fn refuse(&mut self, reason: &Reason) -> io::Result<()> {
        say_proven(&mut self.writer, &mut self.exchange, Kind::REFUSAL, reason).await?;
        self.writer.shutdown().await
    }

    /// What the two sides agreed on.
    pub(crate) fn terms(&self) -> Terms {
        self.exchange.terms()
    }
}

/// Takes a connection apart.
fn halves(stream: Box<dyn Stream>) -> (Reader, Writer) {
    let (reading, writing) = stream.into_halves();
    (FrameReader::new(reading, HANDSHAKE_BYTES_MAX), writing)
}

async fn hear_preface(stream: &mut Box<dyn Stream>) -> Result<Preface, HandshakeError> {
    let closed = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof if error.get_ref().is_none() => HandshakeError::Closed,
        _ => error.into(),
    };
    let mut frame = [0; PREFACE_FRAME_BYTES];
    let (first, rest) = frame.split_at_mut(2);
    stream.read_exact(first).await.map_err(closed)?;
    Preface::expect([first[0], first[1]])?;
    stream.read_exact(rest).await.map_err(closed)?;
    Preface::decode(&frame)
}

async fn say_proven<W: AsyncWrite + Unpin>(
    writer: &mut W,
    exchange: &mut Exchange,
    kind: Kind,
    word: &impl Serialize,
) -> io::Result<()> {
    let word = encode(word).map_err(io::Error::other)?;
    say(writer, &framed(kind, &exchange.prove(kind, &word))?).await
}

fn framed(kind: Kind, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    append(&mut frame, kind, HANDSHAKE_BYTES_MAX, |out| out.extend_from_slice(body)).map_err(io::Error::other)?;
    Ok(frame)
}

async fn say<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &[u8]) -> io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}
