//! Frames of the bare competitors: a length (u32), a number (u64), a payload.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The most that is read at once.
pub(super) const READ_BYTES: usize = 64 << 10;

/// Appends a frame.
pub(super) fn append(out: &mut Vec<u8>, number: u64, payload: &[u8]) {
    let bytes = u32::try_from(payload.len()).expect("payloads are short");
    out.extend_from_slice(&bytes.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(payload);
}

/// Takes all whole frames from the front of what was read.
pub(super) fn take(read: &mut Vec<u8>, mut each: impl FnMut(u64, &[u8])) {
    let mut rest = &read[..];
    while let Some((number, payload, after)) = split(rest) {
        each(number, payload);
        rest = after;
    }
    let taken = read.len() - rest.len();
    read.drain(..taken);
}

fn split(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (payload, after) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((u64::from_le_bytes(*number), payload, after))
}

/// Answers every frame on the connections to a port of its own, and writes once for each read.
pub(super) async fn answer(ready: impl FnOnce(String)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    ready(listener.local_addr().expect("it is bound").to_string());
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, mut answers) = (Vec::with_capacity(READ_BYTES), Vec::new());
    while stream.read_buf(&mut read).await? > 0 {
        take(&mut read, |number, payload| append(&mut answers, number, payload));
        stream.write_all(&answers).await?;
        answers.clear();
    }
    Ok(())
}
