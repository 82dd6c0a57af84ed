//! The hash that places things: the same on every machine, in every process, in every version.

use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// XXH3 (64 bits, seed 0) of `bytes`. It decides where entities live, so it may never change.
pub fn stable_hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// XXH3 of several parts. Each part is preceded by its length, so that `["ab", "c"]` and `["a", "bc"]` differ.
pub fn stable_hash_parts(parts: &[&[u8]]) -> u64 {
    let mut hash = Xxh3::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.digest()
}

/// A hasher for maps in memory whose keys come from our own side and need no defence against floods.
///
/// It is not salted, so the order of a map is the same in two runs with one seed.
#[derive(Default, Clone)]
pub struct StableHasher(u64);

impl StableHasher {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xa076_1d64_78bd_642f;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for StableHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.mix(xxh3_64(bytes));
    }

    fn write_u8(&mut self, word: u8) {
        self.mix(word.into());
    }

    fn write_u16(&mut self, word: u16) {
        self.mix(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }
}

/// A map with [`StableHasher`].
pub type StableMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<StableHasher>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_text_never_changes() {
        // Written down from the reference implementation: entities stay where they are across versions.
        assert_eq!(stable_hash(b""), 0x2d06_8005_38d3_94c2);
        assert_eq!(stable_hash(b"user-1"), xxh3_64(b"user-1"));
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(stable_hash_parts(&[b"ab", b"c"]), stable_hash_parts(&[b"a", b"bc"]));
    }
}
