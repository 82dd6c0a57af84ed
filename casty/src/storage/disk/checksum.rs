//! Checksums of what is in the file. The library has one of each page, at which it looks only if the file was not closed in
//! order.

use std::fmt;

use redb::StorageError;

use super::rows::Generation;
use crate::base::stable_hash_parts;

/// What a value of the file is. It goes into the checksum: a value in the place of another is as wrong as a changed one.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// By group and index.
    Entry(u16, u64),
    Purged(u16),
    Vote(u16),
    Forgotten(u16),
    Snapshot(u16),
    /// By group and number.
    Part(u16, u32),
    Row(Generation, &'a [u8]),
    Node(&'a str),
}

/// The most numbers in a value, and before them those that name its place.
const NUMBERS_MAX: usize = 8;

impl Place<'_> {
    /// The checksum of the numbers and the bytes of which a value consists.
    pub(super) fn checksum(self, numbers: &[u64], bytes: &[u8]) -> u64 {
        let (place, key): ([u64; 3], &[u8]) = match self {
            Self::Entry(group, index) => ([0, group.into(), index], &[]),
            Self::Purged(group) => ([1, group.into(), 0], &[]),
            Self::Vote(group) => ([2, group.into(), 0], &[]),
            Self::Snapshot(group) => ([3, group.into(), 0], &[]),
            Self::Part(group, number) => ([4, group.into(), number.into()], &[]),
            Self::Row(of, key) => ([5, of.group.0.into(), of.number.into()], key),
            Self::Node(key) => ([6, 0, 0], key.as_bytes()),
            Self::Forgotten(group) => ([7, group.into(), 0], &[]),
        };
        let mut words = [0; NUMBERS_MAX * size_of::<u64>()];
        for (word, number) in words.chunks_exact_mut(size_of::<u64>()).zip(place.iter().chain(numbers)) {
            word.copy_from_slice(&number.to_le_bytes());
        }
        stable_hash_parts(&[&words, key, bytes])
    }

    /// Whether a value is the one that was written.
    pub(super) fn check(self, checksum: u64, numbers: &[u64], bytes: &[u8]) -> Result<(), StorageError> {
        if self.checksum(numbers, bytes) == checksum {
            return Ok(());
        }
        Err(StorageError::Corrupted(format!("{self} is not what was written")))
    }

    /// A value of bytes only, with its checksum.
    pub(super) fn seal(self, bytes: &[u8]) -> Vec<u8> {
        [&self.checksum(&[], bytes).to_le_bytes(), bytes].concat()
    }

    /// The bytes of a sealed value.
    pub(super) fn open(self, sealed: &[u8]) -> Result<&[u8], StorageError> {
        let (checksum, bytes) = sealed.split_first_chunk().unwrap_or((&[0; size_of::<u64>()], &[]));
        self.check(u64::from_le_bytes(*checksum), &[], bytes)?;
        Ok(bytes)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(group, index) => write!(f, "entry {index} in the log of group {group}"),
            Self::Purged(group) => write!(f, "the beginning of the log of group {group}"),
            Self::Vote(group) => write!(f, "the vote in group {group}"),
            Self::Forgotten(group) => write!(f, "the end of the log of group {group} that was removed"),
            Self::Snapshot(group) => write!(f, "the snapshot of group {group}"),
            Self::Part(group, number) => write!(f, "part {number} of the snapshot of group {group}"),
            Self::Row(of, key) => write!(f, "the row \"{}\" of group {}", key.escape_ascii(), of.group),
            Self::Node(key) => write!(f, "the {key} of the node"),
        }
    }
}
