//! How bytes on a connection become frames: a length (u32, little-endian), a kind (u8), a body. The length counts
//! the kind and the body.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

use super::{FrameError, Kind, TooLarge};
use crate::base::{Over, Patience};
use crate::codec::VALUE_BYTES_MAX;

/// The largest body of a frame: a value of the largest size, and what its envelope adds.
pub(crate) const FRAME_BYTES_MAX: usize = VALUE_BYTES_MAX + (1 << 20);

/// What comes before a body: the length and the kind.
pub(crate) const HEAD_BYTES: usize = LENGTH_BYTES + 1;
const LENGTH_BYTES: usize = 4;

/// The buffer that a reader begins with; it grows to the largest frame that came.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Appends one frame to `out`; `encode` appends the body. If the body is larger than `bytes_max`, or if `encode`
/// unwinds, `out` is as it was. Returns how many bytes were added.
pub(crate) fn append(
    out: &mut Vec<u8>,
    kind: Kind,
    bytes_max: usize,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<usize, TooLarge> {
    let unfinished = Unfinished { begin: out.len(), out, whole: false };
    let (begin, body) = (unfinished.begin, unfinished.begin + HEAD_BYTES);
    unfinished.out.extend_from_slice(&[0, 0, 0, 0, kind.0]);
    encode(unfinished.out);
    assert!(unfinished.out.len() >= body, "an encoder may append to a frame, and not take from it");
    let bytes = unfinished.out.len() - body;
    let length = u32::try_from(bytes + 1).ok().filter(|_| bytes <= bytes_max);
    let length = length.ok_or(TooLarge { bytes, max: bytes_max })?;
    unfinished.out[begin..begin + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(unfinished.finish())
}

/// A frame that is being written. Dropped before it is whole, it takes its bytes back: half a frame would make
/// noise of all that follows on the link.
struct Unfinished<'a> {
    begin: usize,
    out: &'a mut Vec<u8>,
    whole: bool,
}

impl Unfinished<'_> {
    fn finish(mut self) -> usize {
        self.whole = true;
        self.out.len() - self.begin
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.whole {
            self.out.truncate(self.begin);
        }
    }
}

/// Reads frames from a connection, however they are cut into pieces on the way.
pub(crate) struct FrameReader<R> {
    io: R,
    codec: LengthDelimitedCodec,
    /// What was read and is not taken yet.
    buffer: BytesMut,
    patience: Patience,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads frames whose bodies have at most `bytes_max` bytes.
    pub(crate) fn new(io: R, bytes_max: usize) -> Self {
        let codec = LengthDelimitedCodec::builder()
            .length_field_type::<u32>()
            .little_endian()
            .max_frame_length(bytes_max + 1)
            .new_codec();
        Self { io, codec, buffer: BytesMut::with_capacity(READ_BUFFER_BYTES), patience: Patience::default() }
    }

    /// From the next frame on, bodies may have `bytes_max` bytes.
    pub(crate) fn set_bytes_max(&mut self, bytes_max: usize) {
        self.codec.set_max_frame_length(bytes_max + 1);
    }

    /// The next frame, or `None` when the other side closed the connection between two frames.
    ///
    /// It is an error when no byte comes for `silence_max`; a large frame may take longer than that. The body shares
    /// memory with the read buffer and is not copied. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self, silence_max: Duration) -> Result<Option<(Kind, Bytes)>, FrameError> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(Some(frame));
            }
            self.buffer.reserve(1);
            match self.patience.within(silence_max, self.io.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) if self.buffer.is_empty() => return Ok(None),
                Ok(Ok(0)) => return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(FrameError::Io(error)),
                Err(Over) => return Err(FrameError::Silent { after: silence_max }),
            }
        }
    }

    /// The next frame, if all of it has been read already.
    pub(crate) fn buffered(&mut self) -> Result<Option<(Kind, Bytes)>, FrameError> {
        let decoded = self.codec.decode(&mut self.buffer);
        let Some(mut frame) = decoded.map_err(|error| self.explain(error))? else { return Ok(None) };
        if frame.is_empty() {
            return Err(FrameError::NoKind);
        }
        let kind = Kind(frame.get_u8());
        Ok(Some((kind, frame.freeze())))
    }

    fn explain(&self, error: io::Error) -> FrameError {
        match error.kind() {
            io::ErrorKind::InvalidData => FrameError::TooLong { max: self.codec.max_frame_length() - 1 },
            _ => FrameError::Io(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::{Instant, advance};

    use super::*;

    const SILENCE: Duration = Duration::from_millis(1500);

    #[tokio::test(start_paused = true)]
    async fn a_frame_in_two_pieces_is_read_whole() {
        let (mut near, far) = duplex(1024);
        let mut reader = FrameReader::new(far, 100);
        let mut bytes = Vec::new();
        append(&mut bytes, Kind::RAFT, 100, |out| out.extend_from_slice(b"hello")).unwrap();
        for cut in 1..bytes.len() {
            let (first, rest) = bytes.split_at(cut);
            near.write_all(first).await.unwrap();
            let reading = async { reader.next(SILENCE).await.unwrap().unwrap() };
            let writing = async {
                advance(Duration::from_millis(800)).await;
                near.write_all(rest).await.unwrap();
            };
            let (frame, ()) = tokio::join!(reading, writing);
            assert_eq!(frame, (Kind::RAFT, Bytes::from_static(b"hello")), "cut after {cut} bytes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_frame_is_not_silence_and_silence_is_an_error() {
        let (mut near, far) = duplex(1024);
        let mut reader = FrameReader::new(far, 100);
        let mut bytes = Vec::new();
        append(&mut bytes, Kind::RAFT, 100, |out| out.extend_from_slice(b"hello")).unwrap();
        let writing = async {
            for byte in &bytes {
                advance(Duration::from_millis(1000)).await;
                near.write_all(&[*byte]).await.unwrap();
            }
        };
        let (frame, ()) = tokio::join!(reader.next(SILENCE), writing);
        assert_eq!(frame.unwrap().unwrap().0, Kind::RAFT);
        let begun = Instant::now();
        assert!(matches!(reader.next(SILENCE).await, Err(FrameError::Silent { .. })));
        assert!(begun.elapsed() >= SILENCE);
    }

    #[tokio::test]
    async fn a_length_over_the_limit_is_refused_before_memory_is_taken() {
        let (mut near, far) = duplex(1024);
        let mut reader = FrameReader::new(far, 1 << 20);
        near.write_all(&u32::MAX.to_le_bytes()).await.unwrap();
        near.write_all(&[7; 64]).await.unwrap();
        assert!(matches!(reader.next(SILENCE).await, Err(FrameError::TooLong { max }) if max == 1 << 20));
        assert!(reader.buffer.capacity() <= 2 * READ_BUFFER_BYTES);
    }

    #[tokio::test]
    async fn a_frame_without_a_kind_is_an_error() {
        let (mut near, far) = duplex(64);
        near.write_all(&[0, 0, 0, 0]).await.unwrap();
        assert!(matches!(FrameReader::new(far, 9).next(SILENCE).await, Err(FrameError::NoKind)));
    }

    #[test]
    fn what_is_too_large_or_unwinds_leaves_no_bytes() {
        let mut out = b"before".to_vec();
        let too_large = append(&mut out, Kind::RAFT, 3, |out| out.extend_from_slice(b"four"));
        assert_eq!(too_large, Err(TooLarge { bytes: 4, max: 3 }));
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            append(&mut out, Kind::RAFT, 3, |out| {
                out.push(1);
                panic!("the encoder fails");
            })
        }));
        assert!(unwound.is_err());
        assert_eq!(out, b"before");
    }
}
