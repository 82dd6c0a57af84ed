//! What is placed so far, and what may be next.

use super::Model;
use super::bitset::{Bitset, Short};
use super::optional::Optional;
use super::timeline::Timeline;
use crate::testkit::history::Operation;

/// One operation that is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An answered operation, by number.
    Answered(usize),
    /// The next operation of a class of [`Optional`].
    Unknown(usize),
}

/// The placed operations. Steps are taken back in the reverse of the order in which they were made.
#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) timeline: Timeline,
    pub(super) optional: Optional,
    /// The answered operations that are placed, by number.
    placed: Bitset,
    /// Those of unknown outcome that are, by number.
    unknown: Bitset,
}

impl Configuration {
    pub(super) fn new<M: Model>(model: &M, operations: &[&Operation<M::Input, M::Output>]) -> Self {
        let timeline = Timeline::new(operations);
        let optional = Optional::new(model, operations, &timeline);
        let placed = Bitset::new(timeline.answered.len());
        let unknown = Bitset::new(timeline.unanswered.len());
        Self { timeline, optional, placed, unknown }
    }

    pub(super) fn place(&mut self, step: Step) {
        match step {
            Step::Answered(number) => {
                self.placed.insert(number);
                self.timeline.lift(number);
            }
            Step::Unknown(class) => self.unknown.insert(self.optional.take(class)),
        }
    }

    pub(super) fn take_back(&mut self, step: Step) {
        match step {
            Step::Answered(number) => {
                self.placed.remove(number);
                self.timeline.put_back(number);
            }
            Step::Unknown(class) => self.unknown.remove(self.optional.put_back(class)),
        }
    }

    /// What is placed: the answered ones, and those of unknown outcome.
    pub(super) fn key(&self) -> (Short, Bitset) {
        (self.placed.short(), self.unknown.clone())
    }

    /// What would be placed after a step.
    pub(super) fn key_after(&mut self, step: Step) -> (Short, Bitset) {
        // The lists need not change for that.
        match step {
            Step::Answered(number) => {
                self.placed.insert(number);
                let key = self.key();
                self.placed.remove(number);
                key
            }
            Step::Unknown(class) => {
                let (placed, mut unknown) = self.key();
                unknown.insert(self.optional.peek(class));
                (placed, unknown)
            }
        }
    }
}
