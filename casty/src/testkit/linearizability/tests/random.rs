//! Random histories: right ones, broken ones, and small ones of both kinds that another check judges too.

use std::fmt::Debug;

use proptest::prelude::*;
use rand::RngExt;
use rand::rngs::StdRng;

use super::super::models::*;
use super::super::{Limits, Model, check};
use super::generate::*;
use super::*;

/// A model that says nothing but what it must.
struct Plain<M>(M);

impl<M: Model> Model for Plain<M> {
    type State = M::State;
    type Input = M::Input;
    type Output = M::Output;

    fn start(&self) -> M::State {
        self.0.start()
    }

    fn apply(&self, state: &M::State, input: &M::Input) -> (M::State, M::Output) {
        self.0.apply(state, input)
    }
}

fn shapes() -> impl Strategy<Value = (u64, Shape)> {
    let shape = (1..10_u64, 1..150_usize, 0..20_u32);
    let shape = shape.prop_map(|(clients, operations, unknown_percent)| Shape { clients, operations, unknown_percent });
    (any::<u64>(), shape)
}

/// The places of two answered operations with the same kind of input, of which `is` tells.
fn two<I, O>(operations: &[Operation<I, O>], is: impl Fn(&I) -> bool) -> Option<(usize, usize)> {
    let answered = |index: &usize| !matches!(operations[*index].end, End::Unknown) && is(&operations[*index].input);
    let mut found = (0..operations.len()).filter(answered);
    found.next().zip(found.last())
}

/// Gives the second operation the answer of the first.
fn repeat_answer<I, O: Clone>(operations: &mut [Operation<I, O>], (first, second): (usize, usize)) {
    let End::Returned { output: answer, .. } = operations[first].end.clone() else { return };
    if let End::Returned { output, .. } = &mut operations[second].end {
        *output = answer;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_register_did_is_linearizable((seed, shape) in shapes()) {
        let mut rng = rng(seed);
        let history = legal(&Register::default(), &mut rng, shape, |rng| register_input(rng, 5));
        let verdict = check(&Register::default(), &history, Limits::default());
        prop_assert!(verdict.is_linearizable(), "{verdict:?}");
    }

    #[test]
    fn what_a_counter_did_is_linearizable((seed, shape) in shapes()) {
        let history = legal(&Counter, &mut rng(seed), shape, |rng| counter_input(rng, 3));
        let verdict = check(&Counter, &history, Limits::default());
        prop_assert!(verdict.is_linearizable(), "{verdict:?}");
    }

    #[test]
    fn what_a_list_did_is_linearizable((seed, shape) in shapes()) {
        let mut token = 0;
        let history = legal(&AppendList, &mut rng(seed), shape, |rng| list_input(rng, &mut token));
        let verdict = check(&AppendList, &history, Limits::default());
        prop_assert!(verdict.is_linearizable(), "{verdict:?}");
    }

    #[test]
    fn a_value_that_nobody_wrote_is_a_violation((seed, shape) in shapes()) {
        let mut history = legal(&Register::default(), &mut rng(seed), shape, |rng| register_input(rng, 5));
        let read = history.iter_mut().rev().find_map(|operation| match &mut operation.end {
            End::Returned { output: RegisterOutput::Value(value), .. } => Some(value),
            _ => None,
        });
        prop_assume!(read.is_some());
        *read.unwrap() = 99;
        let verdict = check(&Register::default(), &history, Limits::default());
        prop_assert!(verdict.is_violation(), "{verdict:?}");
    }

    #[test]
    fn a_lost_add_is_a_violation((seed, shape) in shapes()) {
        let mut history = legal(&Counter, &mut rng(seed), shape, |rng| counter_input(rng, 3));
        let adds = two(&history, |input| matches!(input, CounterInput::Add(_)));
        prop_assume!(adds.is_some());
        repeat_answer(&mut history, adds.unwrap());
        let verdict = check(&Counter, &history, Limits::default());
        prop_assert!(verdict.is_violation(), "{verdict:?}");
    }

    #[test]
    fn a_lost_append_is_a_violation((seed, shape) in shapes()) {
        let mut token = 0;
        let mut history = legal(&AppendList, &mut rng(seed), shape, |rng| list_input(rng, &mut token));
        let appends = two(&history, |input| matches!(input, AppendListInput::Append(_)));
        prop_assume!(appends.is_some());
        repeat_answer(&mut history, appends.unwrap());
        let verdict = check(&AppendList, &history, Limits::default());
        prop_assert!(verdict.is_violation(), "{verdict:?}");
    }
}

/// How many of the histories are right, and how many are not.
#[derive(Debug, Default)]
struct Tally {
    legal: usize,
    illegal: usize,
}

impl Tally {
    /// Judges a history with and without what the model knows beyond its operations, and by brute force.
    fn judge<M: Model + Copy>(&mut self, model: M, history: &[Operation<M::Input, M::Output>])
    where
        Operation<M::Input, M::Output>: Debug,
    {
        let expected = brute::is_linearizable(&model, history);
        let verdicts = [check(&model, history, Limits::default()), check(&Plain(model), history, Limits::default())];
        for verdict in verdicts {
            let agrees = if expected { verdict.is_linearizable() } else { verdict.is_violation() };
            assert!(agrees, "linearizable: {expected}, but the check says {verdict:?} of {history:#?}");
        }
        *if expected { &mut self.legal } else { &mut self.illegal } += 1;
    }
}

/// Small histories of which two thirds have one or two answers from another place.
fn small<M: Model>(
    model: &M,
    seed: u64,
    input: impl FnMut(&mut StdRng) -> M::Input,
) -> Vec<Operation<M::Input, M::Output>>
where
    M::Output: Clone,
{
    let mut rng = rng(seed);
    let shape = Shape {
        clients: rng.random_range(2..5),
        operations: rng.random_range(3..8),
        unknown_percent: [0, 20, 50][rng.random_range(0..3)],
    };
    let mut history = legal(model, &mut rng, shape, input);
    for _ in 0..rng.random_range(0..3) {
        let (from, to) = (rng.random_range(0..history.len()), rng.random_range(0..history.len()));
        repeat_answer(&mut history, (from, to));
    }
    history
}

#[test]
fn verdicts_are_those_of_brute_force() {
    const HISTORIES: u64 = 2_500;
    let mut tally = Tally::default();
    for seed in 0..HISTORIES {
        let mut token = 0;
        tally.judge(Register::default(), &small(&Register::default(), seed, |rng| register_input(rng, 3)));
        tally.judge(Counter, &small(&Counter, seed, |rng| counter_input(rng, 3)));
        tally.judge(AppendList, &small(&AppendList, seed, |rng| list_input(rng, &mut token)));
    }
    let all = tally.legal + tally.illegal;
    assert!(tally.illegal * 5 > all && tally.legal * 5 > all, "both kinds must be frequent: {tally:?}");
}
