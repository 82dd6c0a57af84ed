//! Sets of operations.

const BITS: usize = u64::BITS as usize;

/// A set of numbers below a bound that is fixed when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bitset {
    words: Box<[u64]>,
}

/// A [`Bitset`] of those that came early and a few later ones, in as few words as that needs. Two sets of one bound are equal
/// if and only if their short forms are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Short {
    /// How many words in front are full.
    full: u32,
    /// Those behind, without the empty ones at the end.
    rest: Box<[u64]>,
}

impl Bitset {
    pub(super) fn new(bound: usize) -> Self {
        Self { words: vec![0; bound.div_ceil(BITS)].into() }
    }

    pub(super) fn insert(&mut self, number: usize) {
        self.words[number / BITS] |= 1 << (number % BITS);
    }

    pub(super) fn remove(&mut self, number: usize) {
        self.words[number / BITS] &= !(1 << (number % BITS));
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(ours, theirs)| ours & !theirs == 0)
    }

    pub(super) fn short(&self) -> Short {
        let full = self.words.iter().take_while(|word| **word == u64::MAX).count();
        let end = self.words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        Short { full: full as u32, rest: self.words[full..end.max(full)].into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: impl IntoIterator<Item = usize>) -> Bitset {
        let mut set = Bitset::new(200);
        numbers.into_iter().for_each(|number| set.insert(number));
        set
    }

    #[test]
    fn what_is_removed_is_as_if_it_had_never_been_there() {
        let mut gone = set([3, 64, 199]);
        gone.remove(64);
        assert_eq!(gone, set([3, 199]));
        assert_ne!(gone, set([3, 64, 199]));
    }

    #[test]
    fn a_subset_lacks_nothing_but_may_be_equal() {
        assert!(set([3, 150]).is_subset(&set([3, 70, 150])));
        assert!(set([3]).is_subset(&set([3])));
        assert!(!set([3, 151]).is_subset(&set([3, 70, 150])));
    }

    #[test]
    fn short_forms_are_short_and_differ_where_the_sets_do() {
        let early = set((0..130).chain([135]));
        assert_eq!(early.short().rest.len(), 1);
        assert_ne!(early.short(), set((0..130).chain([136])).short());
        assert_ne!(set(0..64).short(), set(64..128).short());
        assert_ne!(set(0..64).short(), set([]).short());
    }
}
