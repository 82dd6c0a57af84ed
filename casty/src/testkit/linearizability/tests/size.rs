//! Long histories and many unknown outcomes. What they cost is counted in steps, which are the same on every machine; a
//! million take less than a second.

use super::super::models::*;
use super::super::{Limits, Model, Verdict, check};
use super::generate::*;
use super::*;

const LONG: Shape = Shape { clients: 10, operations: 1_000, unknown_percent: 0 };
const LOSSY: Shape = Shape { unknown_percent: 10, ..LONG };

fn within<M: Model>(steps: u64, model: &M, history: &[Operation<M::Input, M::Output>]) -> Verdict {
    check(model, history, Limits { steps, time: None })
}

#[test]
fn a_thousand_operations_of_ten_clients_take_few_steps() {
    for seed in 0..10 {
        let mut token = 0;
        let register = legal(&Register::default(), &mut rng(seed), LONG, |rng| register_input(rng, 100));
        let counter = legal(&Counter, &mut rng(seed), LONG, |rng| counter_input(rng, 10));
        let list = legal(&AppendList, &mut rng(seed), LONG, |rng| list_input(rng, &mut token));
        assert_eq!(within(50_000, &Register::default(), &register), Verdict::Linearizable);
        assert_eq!(within(20_000, &Counter, &counter), Verdict::Linearizable);
        assert_eq!(within(20_000, &AppendList, &list), Verdict::Linearizable);
    }
}

#[test]
fn a_hundred_unknown_outcomes_among_a_thousand_operations_do_not_explode() {
    for seed in 0..5 {
        let mut token = 0;
        let register = legal(&Register::default(), &mut rng(seed), LOSSY, |rng| register_input(rng, 100));
        let counter = legal(&Counter, &mut rng(seed), LOSSY, |rng| counter_input(rng, 3));
        let list = legal(&AppendList, &mut rng(seed), LOSSY, |rng| list_input(rng, &mut token));
        assert_eq!(within(1_000_000, &Register::default(), &register), Verdict::Linearizable);
        assert_eq!(within(1_000_000, &Counter, &counter), Verdict::Linearizable);
        assert_eq!(within(1_000_000, &AppendList, &list), Verdict::Linearizable);
    }
}

/// Writes that were lost before the first of a client that writes and reads.
fn after_lost_writes(lost_writes: u64, written: u64) -> Vec<RegisterOperation> {
    let lost_writes = (0..lost_writes).map(|number| lost(9, number, RegisterInput::Write(10_000 + number)));
    let seen = (0..written).flat_map(|number| {
        let at = 1_000 + 10 * number;
        [write(1, (at, at + 1), number), read(2, (at + 2, at + 3), number)]
    });
    lost_writes.chain(seen).collect()
}

#[test]
fn hundreds_of_unknown_outcomes_that_never_happened_cost_nothing() {
    let history = after_lost_writes(300, 300);
    assert_eq!(within(2_000, &Register::default(), &history), Verdict::Linearizable);
}

#[test]
fn a_violation_is_proven_in_spite_of_a_hundred_unknown_outcomes() {
    let history: Vec<_> = after_lost_writes(100, 10).into_iter().chain([read(2, (9_000, 9_001), 5_000)]).collect();
    assert!(within(1_000_000, &Register::default(), &history).is_violation());
}
