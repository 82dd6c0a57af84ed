//! The one file that names bincode.

use std::any::type_name;

use bincode::config::{Configuration, Limit, standard};
use bincode::enc::write::Writer;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Codec, DecodeError, EncodeError, VALUE_BYTES_MAX};

/// bincode 2: little-endian, variable-length integers.
#[derive(Clone, Copy, Debug)]
pub struct Bincode;

/// A configuration under which a value may claim `BYTES` bytes of memory for its numbers and its text.
type Claiming<const BYTES: usize> = Configuration<bincode::config::LittleEndian, bincode::config::Varint, Limit<BYTES>>;

const CONFIG: Claiming<VALUE_BYTES_MAX> = standard().with_limit::<VALUE_BYTES_MAX>();

/// The configuration for short inputs. The format takes memory for a text before it looks whether the text is there, so
/// a length that lies would have a few bytes take what only the longest value may.
const SHORT: Claiming<{ SHORT_BYTES_MAX * CLAIM_PER_BYTE_MAX }> =
    standard().with_limit::<{ SHORT_BYTES_MAX * CLAIM_PER_BYTE_MAX }>();

/// The longest input that is a short one.
const SHORT_BYTES_MAX: usize = 64 << 10;

/// What one byte of input claims at most: a `u128` below 251 is one byte.
const CLAIM_PER_BYTE_MAX: usize = size_of::<u128>();

impl Codec for Bincode {
    const ID: u8 = 1;

    fn encode_into<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        bincode::serde::encode_into_writer(value, Appending(out), CONFIG)
            .map_err(|why| EncodeError { of: type_name::<T>(), why: why.to_string() })
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
        let decoded = match bytes.len() {
            ..=SHORT_BYTES_MAX => bincode::serde::decode_from_slice(bytes, SHORT),
            _ => bincode::serde::decode_from_slice(bytes, CONFIG),
        };
        let (value, used) = decoded.map_err(|why| malformed::<T>(bytes, &why))?;
        if used != bytes.len() {
            return Err(DecodeError::Trailing { of: type_name::<T>(), used, bytes: bytes.len() });
        }
        Ok(value)
    }

    fn decode_prefix<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), DecodeError> {
        let decoded = match bytes.len() {
            ..=SHORT_BYTES_MAX => bincode::serde::borrow_decode_from_slice(bytes, SHORT),
            _ => bincode::serde::borrow_decode_from_slice(bytes, CONFIG),
        };
        decoded.map_err(|why| malformed::<T>(bytes, &why))
    }
}

/// Takes each number and text as it comes: through `std::io::Write`, a small value takes a fifth more instructions.
struct Appending<'a>(&'a mut Vec<u8>);

impl Writer for Appending<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn malformed<T>(bytes: &[u8], why: &bincode::error::DecodeError) -> DecodeError {
    DecodeError::Malformed { of: type_name::<T>(), bytes: bytes.len(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;

    #[test]
    fn left_over_bytes_are_an_error() {
        let mut bytes = encode(&7u64).unwrap();
        bytes.push(0);
        assert!(matches!(decode::<u64>(&bytes), Err(DecodeError::Trailing { used: 1, bytes: 2, .. })));
    }

    #[test]
    fn a_short_input_may_claim_as_much_as_any_of_its_length_spells() {
        let numbers = vec![7_u128; SHORT_BYTES_MAX - 3];
        let bytes = encode(&numbers).unwrap();
        assert_eq!(bytes.len(), SHORT_BYTES_MAX);
        assert_eq!(decode::<Vec<u128>>(&bytes).unwrap(), numbers);
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        // 253 announces a 64-bit length: 2^62 bytes.
        let mut bytes = vec![253];
        bytes.extend_from_slice(&(1u64 << 62).to_le_bytes());
        assert!(matches!(decode::<Vec<u8>>(&bytes), Err(DecodeError::Malformed { .. })));
        assert!(matches!(decode::<String>(&bytes), Err(DecodeError::Malformed { .. })));
    }
}
