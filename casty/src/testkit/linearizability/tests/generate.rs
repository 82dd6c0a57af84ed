//! Histories of an object that is right: clients ask at random times, and it does each operation at a random moment.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::Model;
use super::super::models::*;
use super::{Duration, End, Operation};

/// How a history looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) clients: u64,
    pub(super) operations: usize,
    /// Of a hundred operations, how many end unknown. Half of those never happen.
    pub(super) unknown_percent: u32,
}

/// An operation before it is known what it returns.
struct Plan<I> {
    client: u64,
    call: u64,
    /// When it takes effect, if it does.
    effect: Option<u64>,
    /// When it returns, if it does.
    returned: Option<u64>,
    input: I,
}

pub(super) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A history that is linearizable.
pub(super) fn legal<M: Model>(
    model: &M,
    rng: &mut StdRng,
    shape: Shape,
    mut input: impl FnMut(&mut StdRng) -> M::Input,
) -> Vec<Operation<M::Input, M::Output>> {
    let mut free_at = vec![0; shape.clients as usize];
    let mut plans = Vec::new();
    for _ in 0..shape.operations {
        let client = rng.random_range(0..shape.clients);
        let call = free_at[client as usize] + rng.random_range(0..20);
        let input = input(rng);
        let unknown = rng.random_range(0..100) < shape.unknown_percent;
        // What was given up may take effect long afterwards.
        let effect = call + rng.random_range(0..if unknown { 200 } else { 20 });
        let end = if unknown { call } else { effect } + rng.random_range(0..20);
        free_at[client as usize] = end + 1;
        let never = unknown && rng.random_range(0..2) == 0;
        plans.push(Plan {
            client,
            call,
            effect: (!never).then_some(effect),
            returned: (!unknown).then_some(end),
            input,
        });
    }
    answer(model, plans)
}

fn answer<M: Model>(model: &M, plans: Vec<Plan<M::Input>>) -> Vec<Operation<M::Input, M::Output>> {
    let mut order: Vec<usize> = (0..plans.len()).filter(|index| plans[*index].effect.is_some()).collect();
    order.sort_by_key(|index| plans[*index].effect);
    let mut outputs: Vec<Option<M::Output>> = plans.iter().map(|_| None).collect();
    let mut state = model.start();
    for index in order {
        let (next, output) = model.apply(&state, &plans[index].input);
        (state, outputs[index]) = (next, Some(output));
    }
    let time = Duration::from_micros;
    let operations = plans.into_iter().zip(outputs).map(|(plan, output)| {
        let end = match plan.returned.zip(output) {
            Some((at, output)) => End::Returned { at: time(at), output },
            None => End::Unknown,
        };
        Operation { client: plan.client, call: time(plan.call), input: plan.input, end }
    });
    operations.collect()
}

/// Inputs of a register with few values, so that they collide.
pub(super) fn register_input(rng: &mut StdRng, values: u64) -> RegisterInput {
    let mut value = || rng.random_range(0..values);
    let (a, b) = (value(), value());
    match rng.random_range(0..5) {
        0 | 1 => RegisterInput::Read,
        2 | 3 => RegisterInput::Write(a),
        _ => RegisterInput::CompareAndSet { expected: a, new: b },
    }
}

pub(super) fn counter_input(rng: &mut StdRng, amount_max: u64) -> CounterInput {
    if rng.random_range(0..3) == 0 { CounterInput::Read } else { CounterInput::Add(rng.random_range(1..=amount_max)) }
}

/// Appends of tokens from `next` on.
pub(super) fn list_input(rng: &mut StdRng, next: &mut u64) -> AppendListInput {
    if rng.random_range(0..3) == 0 {
        return AppendListInput::Read;
    }
    *next += 1;
    AppendListInput::Append(*next)
}
