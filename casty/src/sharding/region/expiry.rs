//! Which origins have been gone for so long that their sessions may go.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::{NodeKey, StableMap};

/// How long an origin may be nobody's before its sessions are dropped.
const EXPIRY_AFTER: Duration = Duration::from_secs(60);

/// The origins that hold sessions and are no live node's, since when. A new leader begins anew.
#[derive(Default)]
pub(crate) struct Expiry {
    missing: StableMap<NodeKey, Instant>,
}

impl Expiry {
    /// Of the origins that hold sessions, those that have been nobody's for long.
    pub(crate) fn overdue(&mut self, held: &BTreeSet<NodeKey>, live: &BTreeSet<NodeKey>, now: Instant) -> Vec<NodeKey> {
        self.missing.retain(|origin, _| held.contains(origin) && !live.contains(origin));
        let mut overdue = Vec::new();
        for origin in held.difference(live) {
            let since = *self.missing.entry(*origin).or_insert(now);
            if now.duration_since(since) >= EXPIRY_AFTER {
                overdue.push(*origin);
            }
        }
        overdue
    }

    /// This node leads no more.
    pub(crate) fn clear(&mut self) {
        self.missing.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_origin_that_stays_away_is_overdue() {
        let (gone, back, here) = (NodeKey(1), NodeKey(2), NodeKey(3));
        let held = BTreeSet::from([gone, back, here]);
        let (mut expiry, start) = (Expiry::default(), Instant::now());
        assert_eq!(expiry.overdue(&held, &BTreeSet::from([here]), start), []);
        let half = start + EXPIRY_AFTER / 2;
        assert_eq!(expiry.overdue(&held, &BTreeSet::from([here, back]), half), []);
        let end = start + EXPIRY_AFTER;
        assert_eq!(expiry.overdue(&held, &BTreeSet::from([here]), end), [gone], "the other was seen in between");
    }

    #[test]
    fn an_origin_without_sessions_is_forgotten() {
        let (mut expiry, start) = (Expiry::default(), Instant::now());
        expiry.overdue(&BTreeSet::from([NodeKey(1)]), &BTreeSet::new(), start);
        expiry.overdue(&BTreeSet::new(), &BTreeSet::new(), start);
        assert!(expiry.missing.is_empty());
    }
}
