//! A check that is too slow to be wrong: all orders that the times allow, with every choice of unknown outcomes.

use super::super::Model;
use crate::testkit::history::{End, Operation};

pub(super) fn is_linearizable<M: Model>(model: &M, operations: &[Operation<M::Input, M::Output>]) -> bool {
    some_order_fits(model, &model.start(), &operations.iter().collect::<Vec<_>>())
}

fn some_order_fits<M: Model>(model: &M, state: &M::State, left: &[&Operation<M::Input, M::Output>]) -> bool {
    let returns = left.iter().filter_map(|operation| match &operation.end {
        End::Returned { at, .. } => Some(*at),
        End::Unknown => None,
    });
    let Some(bound) = returns.min() else { return true };
    (0..left.len()).filter(|index| left[*index].call <= bound).any(|index| {
        let (next, output) = model.apply(state, &left[index].input);
        let fits = match &left[index].end {
            End::Returned { output: seen, .. } => *seen == output,
            End::Unknown => true,
        };
        let others: Vec<_> = (0..left.len()).filter(|other| *other != index).map(|other| left[other]).collect();
        fits && some_order_fits(model, &next, &others)
    })
}
