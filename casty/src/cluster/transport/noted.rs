//! Tells the log of a failure once, and not with every attempt.

use std::fmt::Display;

use parking_lot::Mutex;

use crate::base::StableMap;
use crate::cluster::limits::NOTED_MAX;

/// The last failure of each peer. The same one again is worth no warning.
#[derive(Default)]
pub(crate) struct Noted {
    last: Mutex<StableMap<String, String>>,
}

impl Noted {
    /// Logs that something failed with a peer: as a warning when it is news, for debugging otherwise.
    pub(crate) fn failure(&self, peer: &str, what: &str, error: &impl Display) {
        if self.is_news(peer, error.to_string()) {
            tracing::warn!(peer, %error, "{what}");
        } else {
            tracing::debug!(peer, %error, "{what}");
        }
    }

    /// The peer is well: its next failure is news.
    pub(crate) fn forget(&self, peer: &str) {
        self.last.lock().remove(peer);
    }

    fn is_news(&self, peer: &str, error: String) -> bool {
        let mut last = self.last.lock();
        if last.get(peer) == Some(&error) {
            return false;
        }
        if last.len() >= NOTED_MAX {
            last.clear();
        }
        last.insert(peer.to_owned(), error);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_news_until_it_was_told_and_again_after_success() {
        let noted = Noted::default();
        assert!(noted.is_news("a", "refused".into()));
        assert!(!noted.is_news("a", "refused".into()));
        assert!(noted.is_news("a", "timed out".into()));
        assert!(noted.is_news("b", "refused".into()));
        noted.forget("a");
        assert!(noted.is_news("a", "timed out".into()));
    }

    #[test]
    fn the_memory_of_failures_is_bounded() {
        let noted = Noted::default();
        for peer in 0..3 * NOTED_MAX {
            noted.is_news(&peer.to_string(), "refused".into());
        }
        assert!(noted.last.lock().len() <= NOTED_MAX);
    }
}
