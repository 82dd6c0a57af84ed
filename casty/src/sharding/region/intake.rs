//! What a region accepts of one session: every sequence once, in order, and nothing late.

use std::collections::BTreeSet;

use crate::base::NodeKey;

/// The region's side of a session, for as long as this node leads the group.
///
/// The cursor starts at the opening's first sequence and moves by one. What comes after a gap is refused, and what is
/// behind the cursor never runs; so a resend can neither overtake nor run twice.
#[derive(Debug)]
pub(super) struct Intake {
    /// The peer that opened it: answers go there.
    pub(super) peer: NodeKey,
    /// Which opening of the session this is.
    counter: u64,
    cursor: u64,
    /// Sequences below may have been sent to some leader before.
    fresh: u64,
    /// All below is answered or given up.
    floor: u64,
    /// Those whose handlers run, or whose records are not committed.
    pending: BTreeSet<u64>,
}

/// What to do with a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Run it: it was never sent before.
    Run,
    /// It was sent before: answer from the record if there is one, else run it.
    Recall,
    /// It runs already: its answer will go to whoever opened the session last.
    Join,
    /// It belongs to an earlier opening, or is behind the cursor: drop it.
    Late,
    /// Something before it is missing: have the session opened again.
    Gap,
}

impl Intake {
    /// A session that was opened for the first time under this leadership.
    pub(super) fn open(peer: NodeKey, counter: u64, first: u64, fresh: u64) -> Self {
        Self { peer, counter, cursor: first, fresh, floor: first, pending: BTreeSet::new() }
    }

    /// It is opened again. `false` if that is a late frame of an earlier opening.
    pub(super) fn reopen(&mut self, peer: NodeKey, counter: u64, first: u64, fresh: u64) -> bool {
        if counter <= self.counter {
            return false;
        }
        (self.peer, self.counter, self.cursor, self.fresh) = (peer, counter, first, fresh);
        self.floor = self.floor.max(first);
        true
    }

    /// A request came.
    pub(super) fn request(&mut self, counter: u64, sequence: u64, floor: u64) -> Verdict {
        match self.advance(counter, sequence) {
            Verdict::Run => {}
            other => return other,
        }
        self.floor = self.floor.max(floor);
        if self.pending.contains(&sequence) {
            return Verdict::Join;
        }
        if sequence < self.fresh { Verdict::Recall } else { Verdict::Run }
    }

    /// A skip came. `Run` means that the cursor has passed it.
    pub(super) fn skip(&mut self, counter: u64, sequence: u64) -> Verdict {
        self.advance(counter, sequence)
    }

    /// The handler of this sequence was started.
    pub(super) fn started(&mut self, sequence: u64) {
        self.pending.insert(sequence);
    }

    /// This sequence is answered.
    pub(super) fn answered(&mut self, sequence: u64) {
        self.pending.remove(&sequence);
    }

    /// Nothing more is taken before it is opened again.
    pub(super) fn interrupt(&mut self) {
        self.cursor = u64::MAX;
    }

    /// Whether it has to be opened again.
    pub(super) fn is_interrupted(&self) -> bool {
        self.cursor == u64::MAX
    }

    /// Below this nothing will ever be recorded any more: not below what runs, even if its asker has given it up.
    pub(super) fn floor(&self) -> u64 {
        self.pending.first().map_or(self.floor, |first| self.floor.min(*first))
    }

    /// Which opening this is.
    pub(super) fn counter(&self) -> u64 {
        self.counter
    }

    fn advance(&mut self, counter: u64, sequence: u64) -> Verdict {
        if counter != self.counter || sequence < self.cursor {
            return Verdict::Late;
        }
        if sequence > self.cursor {
            return Verdict::Gap;
        }
        match self.cursor.checked_add(1) {
            Some(next) => {
                self.cursor = next;
                Verdict::Run
            }
            None => Verdict::Late,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: NodeKey = NodeKey(1);

    #[test]
    fn the_cursor_moves_by_one_and_refuses_what_comes_after_a_gap() {
        let mut intake = Intake::open(PEER, 1, 5, 5);
        assert_eq!(intake.request(1, 5, 5), Verdict::Run);
        assert_eq!(intake.request(1, 7, 5), Verdict::Gap);
        assert_eq!(intake.request(1, 5, 5), Verdict::Late);
        assert_eq!(intake.skip(1, 6), Verdict::Run);
        assert_eq!(intake.request(1, 7, 5), Verdict::Run);
    }

    #[test]
    fn frames_of_an_earlier_opening_are_late() {
        let mut intake = Intake::open(PEER, 4, 0, 9);
        assert!(!intake.reopen(PEER, 4, 0, 9) && !intake.reopen(PEER, 3, 0, 9));
        assert!(intake.reopen(PEER, 5, 0, 9));
        assert_eq!(intake.request(4, 0, 0), Verdict::Late);
        assert_eq!(intake.request(5, 0, 0), Verdict::Recall);
    }

    #[test]
    fn a_resend_joins_what_runs_and_recalls_what_may_be_recorded() {
        let mut intake = Intake::open(PEER, 1, 0, 0);
        assert_eq!(intake.request(1, 0, 0), Verdict::Run);
        intake.started(0);
        assert_eq!(intake.request(1, 1, 0), Verdict::Run);
        intake.started(1);
        intake.answered(1);
        assert!(intake.reopen(PEER, 2, 0, 2));
        assert_eq!(intake.request(2, 0, 0), Verdict::Join);
        assert_eq!(intake.request(2, 1, 0), Verdict::Recall);
        assert_eq!(intake.request(2, 2, 0), Verdict::Run);
    }

    #[test]
    fn the_floor_stays_below_what_runs_though_its_asker_gave_it_up() {
        let mut intake = Intake::open(PEER, 1, 0, 0);
        for sequence in 0..2 {
            assert_eq!(intake.request(1, sequence, 0), Verdict::Run);
            intake.started(sequence);
        }
        assert_eq!(intake.request(1, 2, 2), Verdict::Run);
        assert_eq!(intake.floor(), 0, "0 and 1 run, and will be recorded");
        intake.answered(0);
        assert_eq!(intake.floor(), 1);
        intake.answered(1);
        assert_eq!(intake.floor(), 2);
    }

    #[test]
    fn the_last_number_there_is_does_no_harm() {
        let mut intake = Intake::open(PEER, 1, u64::MAX, u64::MAX);
        assert_eq!(intake.request(1, u64::MAX, 0), Verdict::Late);
    }

    #[test]
    fn one_that_is_interrupted_takes_nothing_until_it_is_opened_again() {
        let mut intake = Intake::open(PEER, 1, 0, 0);
        assert_eq!(intake.request(1, 0, 0), Verdict::Run);
        intake.interrupt();
        assert_eq!(intake.request(1, 1, 0), Verdict::Late);
        assert!(intake.reopen(PEER, 2, 0, 2));
        assert_eq!(intake.request(2, 0, 0), Verdict::Recall);
        assert_eq!(intake.request(2, 1, 0), Verdict::Recall);
    }

    #[test]
    fn what_was_skipped_never_runs() {
        let mut intake = Intake::open(PEER, 1, 0, 3);
        assert_eq!(intake.skip(1, 0), Verdict::Run);
        assert_eq!(intake.request(1, 0, 0), Verdict::Late);
    }
}
