//! The question and its answer.

use std::collections::BTreeMap;

use super::budget::{Budget, Limits};
use super::search::Search;
use super::{Counterexample, Model};
use crate::testkit::history::Operation;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// There is an order that the model allows and that fits the times.
    Linearizable,
    /// There is none.
    Violation(Counterexample),
    /// The limits were reached first: not proven, either way.
    Unknown {
        /// How many steps were done.
        steps: u64,
    },
}

impl Verdict {
    /// Whether the history is proven to be linearizable.
    pub fn is_linearizable(&self) -> bool {
        matches!(self, Self::Linearizable)
    }

    /// Whether it is proven not to be.
    pub fn is_violation(&self) -> bool {
        matches!(self, Self::Violation(_))
    }
}

/// Checks whether a history, in any order, is linearizable: whether each operation could have taken effect at one moment
/// between its call and its return, so that `model`, asked in the order of these moments, answers the same.
///
/// Two events of one time count as overlapping.
pub fn check<M: Model>(model: &M, operations: &[Operation<M::Input, M::Output>], limits: Limits) -> Verdict {
    check_these(model, &operations.iter().collect::<Vec<_>>(), limits)
}

/// Checks a history of many objects, one of them for each key: an account, a topic. It is linearizable if and only if the
/// operations of every object are (Herlihy and Wing 1990, theorem 1), and many small checks take far less time than one
/// large. The limits are those of each check.
pub fn check_each<M: Model, K: Ord>(
    model: &M,
    operations: &[Operation<M::Input, M::Output>],
    key: impl Fn(&M::Input) -> K,
    limits: Limits,
) -> BTreeMap<K, Verdict> {
    let mut objects: BTreeMap<K, Vec<_>> = BTreeMap::new();
    for operation in operations {
        objects.entry(key(&operation.input)).or_default().push(operation);
    }
    objects.into_iter().map(|(key, operations)| (key, check_these(model, &operations, limits))).collect()
}

fn check_these<M: Model>(model: &M, operations: &[&Operation<M::Input, M::Output>], limits: Limits) -> Verdict {
    let mut budget = Budget::new(limits);
    let mut search = Search::new(model, operations, &mut budget);
    match search.run() {
        Ok(true) => Verdict::Linearizable,
        Ok(false) => Verdict::Violation(search.counterexample()),
        Err(_) => Verdict::Unknown { steps: budget.spent },
    }
}
