//! Frames that travel smaller than they are.
//!
//! A compressed frame has a kind of its own. Its body is the kind that it stands for (u8), the length of that body (u32,
//! little-endian), and the body as one LZ4 block.

use bytes::Bytes;
use lz4_flex::block;

use super::{FrameError, Kind};

/// What stands before the block: the kind and the length.
const HEAD_BYTES: usize = 5;

/// LZ4 makes no more than so many bytes of one. A length beyond it lies, however large a frame may be.
const RATIO_MAX: usize = 255;

/// The body of a compressed frame that stands for this one; `None` if it would be no smaller.
pub(crate) fn shrink(kind: Kind, body: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(body.len()).ok()?;
    let mut shrunk = vec![0; HEAD_BYTES + block::get_maximum_output_size(body.len())];
    let bytes = block::compress_into(body, &mut shrunk[HEAD_BYTES..]).ok()?;
    if HEAD_BYTES + bytes >= body.len() {
        return None;
    }
    shrunk[0] = kind.0;
    shrunk[1..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
    shrunk.truncate(HEAD_BYTES + bytes);
    Some(shrunk)
}

/// The frame that a compressed one stands for, whose body may have `bytes_max` bytes. No more memory is taken than the length
/// that was announced, and none for a length that cannot be.
pub(crate) fn expand(shrunk: &[u8], bytes_max: usize) -> Result<(Kind, Bytes), FrameError> {
    let ([kind, length @ ..], rest) = shrunk.split_first_chunk::<HEAD_BYTES>().ok_or(FrameError::BadlyCompressed)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > bytes_max {
        return Err(FrameError::TooLong { max: bytes_max });
    }
    if length > rest.len().saturating_mul(RATIO_MAX) || Kind(*kind) == Kind::COMPRESSED {
        return Err(FrameError::BadlyCompressed);
    }
    let mut body = vec![0; length];
    match block::decompress_into(rest, &mut body) {
        Ok(bytes) if bytes == length => Ok((Kind(*kind), body.into())),
        _ => Err(FrameError::BadlyCompressed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_repeats_shrinks_and_what_does_not_is_left_alone() {
        let body = b"a flight, and another flight, ".repeat(1_000);
        let shrunk = shrink(Kind::ENTITY, &body).unwrap();
        assert!(shrunk.len() < body.len() / 10);
        assert_eq!(expand(&shrunk, body.len()).unwrap(), (Kind::ENTITY, body.into()));
        let noise: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(shrink(Kind::ENTITY, &noise), None);
        assert_eq!(shrink(Kind::ENTITY, b""), None);
    }

    #[test]
    fn a_length_that_cannot_be_is_refused_before_memory_is_taken() {
        let mut lie = shrink(Kind::ENTITY, &[7; 4_000]).unwrap();
        assert!(matches!(expand(&lie, 3_999), Err(FrameError::TooLong { max: 3_999 })));
        lie[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(expand(&lie, usize::MAX), Err(FrameError::BadlyCompressed)));
        for length in [0u32, 3_999, 4_001] {
            lie[1..5].copy_from_slice(&length.to_le_bytes());
            assert!(matches!(expand(&lie, usize::MAX), Err(FrameError::BadlyCompressed)), "{length}");
        }
    }

    #[test]
    fn a_compressed_frame_holds_no_other() {
        let shrunk = shrink(Kind::COMPRESSED, &[7; 4_000]).unwrap();
        assert!(matches!(expand(&shrunk, 4_000), Err(FrameError::BadlyCompressed)));
    }

    proptest! {
        #[test]
        fn what_shrinks_expands_to_the_same(body in proptest::collection::vec(0u8..4, 0..3_000)) {
            if let Some(shrunk) = shrink(Kind::REPLY, &body) {
                prop_assert_eq!(expand(&shrunk, body.len()).unwrap(), (Kind::REPLY, body.into()));
            }
        }

        #[test]
        fn bytes_of_any_kind_expand_to_no_more_than_is_allowed(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            length in 0u32..20_000,
        ) {
            let mut bytes = bytes;
            if let Some(field) = bytes.get_mut(1..5) {
                field.copy_from_slice(&length.to_le_bytes());
            }
            if let Ok((_, body)) = expand(&bytes, 10_000) {
                prop_assert!(body.len() <= 10_000);
            }
        }
    }
}
