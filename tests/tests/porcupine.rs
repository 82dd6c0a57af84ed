//! Another checker, written by others, comes to the same verdicts.

#![cfg(test)]

use std::fmt::Debug;
use std::marker::PhantomData;
use std::time::Duration;

use casty::testkit::history::{End, Operation};
use casty::testkit::linearizability::models::{
    AppendList, AppendListInput, AppendListOutput, Counter, CounterInput, Register, RegisterInput, RegisterOutput,
};
use casty::testkit::linearizability::{Limits, Model, check};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Histories for each model.
const HISTORIES: u64 = 3_000;

/// One of our models as one of the other checker's.
#[derive(Clone, Debug)]
struct Theirs<M>(PhantomData<M>);

impl<M> porcupine_rs::Model for Theirs<M>
where
    M: Model + Default + Clone + Send + Sync + 'static,
    M::State: Send + Sync,
    M::Input: Clone + Send + Sync,
    M::Output: Clone + Send + Sync,
{
    type State = M::State;
    type Op = (M::Input, Option<M::Output>);
    type Metadata = ();

    fn init() -> M::State {
        M::default().start()
    }

    fn step(state: &M::State, (input, answered): &Self::Op) -> (bool, M::State) {
        let (after, output) = M::default().apply(state, input);
        (answered.as_ref().is_none_or(|answered| *answered == output), after)
    }
}

/// A history of a real object, asked by three clients at random moments, in which now and then an answer is another one.
fn history<M: Model>(
    model: &M,
    rng: &mut StdRng,
    input: impl Fn(&mut StdRng) -> M::Input,
    wrong: impl Fn(&mut StdRng, &M::Input) -> M::Output,
) -> Vec<Operation<M::Input, M::Output>> {
    let mut plans = Vec::new();
    for client in 0..3 {
        let mut time = rng.random_range(0..20);
        for _ in 0..rng.random_range(1..6) {
            let (call, point) = (time, time + rng.random_range(1..30));
            let end = point + rng.random_range(1..30);
            time = end + rng.random_range(1..10);
            // Times differ by client, so that no two events have one.
            plans.push((point * 3 + client, call * 3 + client, end * 3 + client, client, input(rng)));
        }
    }
    plans.sort_by_key(|(point, ..)| *point);
    let (mut state, illegal) = (model.start(), rng.random_bool(0.5));
    let mut operations = Vec::new();
    for (_, call, end, client, input) in plans {
        let (known, happens) = (rng.random_bool(0.8), rng.random_bool(0.5));
        let (after, output) = model.apply(&state, &input);
        if known || happens {
            state = after;
        }
        let output = if illegal && rng.random_bool(0.3) { wrong(rng, &input) } else { output };
        let returned = End::Returned { at: Duration::from_millis(end), output };
        let end = if known { returned } else { End::Unknown };
        operations.push(Operation { client, call: Duration::from_millis(call), input, end });
    }
    operations.sort_by_key(|operation| operation.call);
    operations
}

fn theirs<M>(operations: &[Operation<M::Input, M::Output>]) -> Vec<porcupine_rs::Operation<Theirs<M>>>
where
    M: Model + Default + Clone + Send + Sync + 'static,
    M::State: Send + Sync,
    M::Input: Clone + Send + Sync,
    M::Output: Clone + Send + Sync,
{
    let one = |operation: &Operation<M::Input, M::Output>| {
        let (return_time, answered) = match &operation.end {
            End::Returned { at, output } => (at.as_millis() as i64, Some(output.clone())),
            End::Unknown => (i64::MAX, None),
        };
        porcupine_rs::Operation {
            client_id: Some(operation.client as u32),
            call_time: operation.call.as_millis() as i64,
            return_time,
            op: (operation.input.clone(), answered),
            metadata: None,
        }
    };
    operations.iter().map(one).collect()
}

fn both_agree<M>(
    model: &M,
    input: impl Fn(&mut StdRng) -> M::Input,
    wrong: impl Fn(&mut StdRng, &M::Input) -> M::Output,
) where
    M: Model + Default + Clone + Send + Sync + 'static,
    M::State: Send + Sync,
    M::Input: Clone + Send + Sync + Debug,
    M::Output: Clone + Send + Sync + Debug,
{
    let mut illegal = 0;
    for seed in 0..HISTORIES {
        let operations = history(model, &mut StdRng::seed_from_u64(seed), &input, &wrong);
        let ours = check(model, &operations, Limits::default()).is_linearizable();
        let others = porcupine_rs::check_operations(&theirs::<M>(&operations));
        assert_eq!(ours, others, "seed {seed}: {operations:#?}");
        illegal += u64::from(!ours);
    }
    let share = illegal * 100 / HISTORIES;
    assert!((20..80).contains(&share), "{share} % of the histories are illegal: the verdict is hardly a choice");
}

#[test]
fn registers_are_judged_alike() {
    let input = |rng: &mut StdRng| match rng.random_range(0..4) {
        0 | 1 => RegisterInput::Read,
        2 => RegisterInput::Write(rng.random_range(0..4)),
        _ => RegisterInput::CompareAndSet { expected: rng.random_range(0..4), new: rng.random_range(0..4) },
    };
    let wrong = |rng: &mut StdRng, input: &RegisterInput| match input {
        RegisterInput::Read => RegisterOutput::Value(rng.random_range(0..4)),
        RegisterInput::Write(_) => RegisterOutput::Written,
        RegisterInput::CompareAndSet { .. } => RegisterOutput::Swapped(rng.random_bool(0.5)),
    };
    both_agree(&Register::default(), input, wrong);
}

#[test]
fn counters_are_judged_alike() {
    let input = |rng: &mut StdRng| match rng.random_range(0..3) {
        0 => CounterInput::Read,
        _ => CounterInput::Add(rng.random_range(1..4)),
    };
    both_agree(&Counter, input, |rng, _| rng.random_range(0..20));
}

#[test]
fn lists_are_judged_alike() {
    let input = |rng: &mut StdRng| match rng.random_range(0..3) {
        0 => AppendListInput::Read,
        _ => AppendListInput::Append(rng.random()),
    };
    let wrong = |rng: &mut StdRng, input: &AppendListInput| match input {
        AppendListInput::Read => AppendListOutput::Tokens(Vec::new()),
        AppendListInput::Append(_) => AppendListOutput::Length(rng.random_range(1..10)),
    };
    both_agree(&AppendList, input, wrong);
}
