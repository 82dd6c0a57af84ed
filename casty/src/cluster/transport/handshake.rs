//! Says and hears the words of the handshake on a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use crate::cluster::Stream;
use crate::codec::{EncodeError, decode, encode_into};
use crate::wire::{FrameReader, HANDSHAKE_BYTES_MAX, HandshakeError, Hello, Kind, Member, Refusal, append};

/// The reading half of a connection.
pub(crate) type Reader = FrameReader<ReadHalf<Box<dyn Stream>>>;
/// The writing half of a connection.
pub(crate) type Writer = WriteHalf<Box<dyn Stream>>;

/// Takes a connection apart; frames have the size of the handshake's until [`FrameReader::set_bytes_max`].
pub(crate) fn halves(stream: Box<dyn Stream>) -> (Reader, Writer) {
    let (read, write) = split(stream);
    (FrameReader::new(read, HANDSHAKE_BYTES_MAX), write)
}

/// Gives up a step of the handshake after `max`.
pub(crate) async fn within<T, E>(max: Duration, step: impl Future<Output = Result<T, E>>) -> Result<T, HandshakeError>
where
    HandshakeError: From<E>,
{
    Ok(timeout(max, step).await.map_err(|_| HandshakeError::TimedOut { after: max })??)
}

/// The dialler's part: says hello, and hears who answers.
pub(crate) async fn greet<R, W>(
    reader: &mut FrameReader<R>,
    writer: &mut W,
    hello: &Hello,
    max: Duration,
) -> Result<Member, HandshakeError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    say(writer, Kind::HELLO, |out| hello.encode(out)).await?;
    match reader.next(max).await?.ok_or(HandshakeError::Closed)? {
        (Kind::WELCOME, member) => Ok(decode(&member)?),
        (Kind::REFUSAL, refusal) => Err(Refusal::decode(&refusal)?.at_dialler()),
        _ => Err(HandshakeError::NotCasty),
    }
}

/// The acceptor's first part: hears hello. An inner error is to be told to the dialler with [`refuse`].
pub(crate) async fn receive<R>(
    reader: &mut FrameReader<R>,
    max: Duration,
) -> Result<Result<Hello, Refusal>, HandshakeError>
where
    R: AsyncRead + Unpin,
{
    match reader.next(max).await?.ok_or(HandshakeError::Closed)? {
        (Kind::HELLO, hello) => Hello::decode(&hello),
        _ => Err(HandshakeError::NotCasty),
    }
}

/// The acceptor's second part: it is `me`, and agrees.
pub(crate) async fn welcome<W: AsyncWrite + Unpin>(writer: &mut W, me: &Member) -> io::Result<()> {
    say(writer, Kind::WELCOME, |out| encode_into(me, out)).await
}

/// The acceptor's second part: it does not agree, and ends the connection.
pub(crate) async fn refuse<W: AsyncWrite + Unpin>(writer: &mut W, refusal: &Refusal) -> io::Result<()> {
    say(writer, Kind::REFUSAL, |out| refusal.encode(out)).await?;
    writer.shutdown().await
}

async fn say<W: AsyncWrite + Unpin>(
    writer: &mut W,
    kind: Kind,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> io::Result<()> {
    let (mut word, mut frame) = (Vec::new(), Vec::new());
    encode(&mut word).map_err(io::Error::other)?;
    append(&mut frame, kind, HANDSHAKE_BYTES_MAX, |out| out.extend_from_slice(&word)).map_err(io::Error::other)?;
    writer.write_all(&frame).await?;
    writer.flush().await
}
