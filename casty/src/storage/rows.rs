//! Rows on their way: out of a table, through the wire, into another.

use std::io;

use bytes::Bytes;

use crate::codec::{DecodeError, decode_prefix, encode_into};

/// Some rows of a table as bytes, key and value one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowBatch {
    bytes: Bytes,
    rows: u64,
}

impl RowBatch {
    /// An empty batch that rows are added to.
    pub fn builder() -> RowBatchBuilder {
        RowBatchBuilder::default()
    }

    /// Takes the bytes of a batch, after it has looked at all of them.
    pub fn parse(bytes: Bytes) -> Result<Self, DecodeError> {
        let (mut at, mut rows) = (0, 0);
        while at < bytes.len() {
            let (_, used) = decode_prefix::<(&[u8], &[u8])>(&bytes[at..])?;
            at += used;
            rows += 1;
        }
        Ok(Self { bytes, rows })
    }

    /// The rows, key and value, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &*self.bytes;
        std::iter::from_fn(move || {
            let (row, used) = decode_prefix(rest).ok()?;
            rest = &rest[used..];
            Some(row)
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The whole batch as bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// A [`RowBatch`] that grows.
#[derive(Debug, Default)]
pub struct RowBatchBuilder {
    bytes: Vec<u8>,
    rows: u64,
}

impl RowBatchBuilder {
    /// Adds a row.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        encode_into(&(key, value), &mut self.bytes).map_err(io::Error::other)?;
        self.rows += 1;
        Ok(())
    }

    /// The bytes so far.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The batch.
    pub fn build(self) -> RowBatch {
        RowBatch { bytes: self.bytes.into(), rows: self.rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_as_it_was_built_and_not_with_a_byte_less_or_more() {
        let mut builder = RowBatch::builder();
        let rows: [(&[u8], &[u8]); 3] = [(b"a", b"1"), (b"", b""), (b"key", &[7; 300])];
        rows.iter().for_each(|(key, value)| builder.push(key, value).unwrap());
        let batch = builder.build();
        let bytes = batch.bytes().clone();
        let parsed = RowBatch::parse(bytes.clone()).unwrap();
        assert_eq!((parsed.rows(), &parsed), (3, &batch));
        assert!(parsed.iter().eq(rows));
        assert!(RowBatch::parse(bytes.slice(..bytes.len() - 1)).is_err());
        assert!(RowBatch::parse([&bytes[..], &[1]].concat().into()).is_err());
    }
}
