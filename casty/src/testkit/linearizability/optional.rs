//! The operations of unknown outcome: which of them may be tried next.

use super::Model;
use super::timeline::{Position, Timeline, Unanswered};
use crate::testkit::history::Operation;

/// The operations of unknown outcome that change anything, by their inputs.
///
/// Those of one input are interchangeable, and what may follow a later one may follow an earlier one. So they are tried in
/// the order of their calls only, which saves all other orders and choices of them.
#[derive(Debug)]
pub(super) struct Optional {
    classes: Vec<Class>,
}

#[derive(Debug)]
struct Class {
    /// By their calls, each with its number among all of unknown outcome.
    members: Vec<(usize, Unanswered)>,
    /// How many of them are placed.
    used: usize,
}

impl Optional {
    pub(super) fn new<M: Model>(
        model: &M,
        operations: &[&Operation<M::Input, M::Output>],
        timeline: &Timeline,
    ) -> Self {
        let mut classes: Vec<Class> = Vec::new();
        let input = |unanswered: &Unanswered| &operations[unanswered.index].input;
        for (number, unanswered) in timeline.unanswered.iter().enumerate() {
            if model.is_read(input(unanswered)) {
                continue;
            }
            match classes.iter_mut().find(|class| input(&class.members[0].1) == input(unanswered)) {
                Some(class) => class.members.push((number, *unanswered)),
                None => classes.push(Class { members: vec![(number, *unanswered)], used: 0 }),
            }
        }
        Self { classes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    pub(super) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The next of `class`, if it was called before `bound`.
    pub(super) fn next(&self, class: usize, bound: Position) -> Option<Unanswered> {
        let Class { members, used } = &self.classes[class];
        members.get(*used).map(|(_, unanswered)| *unanswered).filter(|unanswered| unanswered.call < bound)
    }

    /// The number of the next of `class`.
    pub(super) fn peek(&self, class: usize) -> usize {
        let Class { members, used } = &self.classes[class];
        members[*used].0
    }

    /// Places the next of `class`, which gives its number.
    pub(super) fn take(&mut self, class: usize) -> usize {
        let class = &mut self.classes[class];
        class.used += 1;
        class.members[class.used - 1].0
    }

    /// Takes back the last that was placed of `class`, which gives its number.
    pub(super) fn put_back(&mut self, class: usize) -> usize {
        let class = &mut self.classes[class];
        class.used -= 1;
        class.members[class.used].0
    }

    /// The operation of `class` that is placed after `before` others of it.
    pub(super) fn member(&self, class: usize, before: usize) -> Unanswered {
        self.classes[class].members[before].1
    }

    /// The indices of those that are not placed and were called before `bound`.
    pub(super) fn left(&self, bound: Position) -> Vec<usize> {
        let left = self.classes.iter().flat_map(|class| &class.members[class.used..]);
        let mut left: Vec<_> = left.filter(|(_, unanswered)| unanswered.call < bound).map(|(_, it)| it.index).collect();
        left.sort_unstable();
        left
    }
}
