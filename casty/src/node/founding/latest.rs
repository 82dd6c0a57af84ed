//! News that is remembered until there is too much of it.

use std::collections::VecDeque;

/// So much news of a kind is remembered. Each is of a founding that came to nothing, or of a founder of one, and they are asked
/// about for as long as those founders may still found: what this many others came after is over.
pub(super) const LATEST_MAX: usize = 1_024;

/// The latest news of a kind, each once, the oldest first.
pub(super) struct Latest<T>(VecDeque<T>);

impl<T: PartialEq> Latest<T> {
    /// Remembers something, and forgets the oldest if that is one too much.
    pub(super) fn insert(&mut self, news: T) {
        if self.contains(&news) {
            return;
        }
        if self.0.len() >= LATEST_MAX {
            self.0.pop_front();
        }
        self.0.push_back(news);
    }

    /// Whether something is remembered.
    pub(super) fn contains(&self, news: &T) -> bool {
        self.0.contains(news)
    }

    /// All that is remembered.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first_and_each_counts_once() {
        let mut latest = Latest::default();
        (0..LATEST_MAX).chain(0..LATEST_MAX).for_each(|news| latest.insert(news));
        assert_eq!(latest.iter().count(), LATEST_MAX);
        latest.insert(LATEST_MAX);
        assert_eq!(latest.iter().count(), LATEST_MAX);
        assert!(!latest.contains(&0) && latest.contains(&1) && latest.contains(&LATEST_MAX));
    }
}
