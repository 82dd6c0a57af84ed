//! Small histories whose verdicts are plain to see.

use super::super::models::*;
use super::super::{Limits, Model, Verdict, check, check_each};
use super::*;

const REGISTER: Register = Register { initial: 0 };

fn is_linearizable<M: Model>(model: &M, operations: &[Operation<M::Input, M::Output>]) -> bool {
    match check(model, operations, Limits::default()) {
        Verdict::Linearizable => true,
        Verdict::Violation(_) => false,
        Verdict::Unknown { steps } => panic!("{steps} steps are not enough"),
    }
}

fn lost_write(call: u64, value: u64) -> RegisterOperation {
    lost(9, call, RegisterInput::Write(value))
}

#[test]
fn no_operations_are_linearizable() {
    assert!(is_linearizable(&REGISTER, &[]));
    assert!(is_linearizable(&REGISTER, &[lost_write(1, 5)]));
}

#[test]
fn a_read_sees_the_last_write_before_it() {
    assert!(is_linearizable(&REGISTER, &[write(1, (0, 1), 5), read(2, (2, 3), 5)]));
    assert!(!is_linearizable(&REGISTER, &[write(1, (0, 1), 5), read(2, (2, 3), 6)]));
}

#[test]
fn a_stale_read_is_a_violation() {
    assert!(!is_linearizable(&REGISTER, &[write(1, (0, 1), 5), write(1, (2, 3), 6), read(2, (4, 5), 5)]));
}

#[test]
fn a_read_beside_a_write_sees_either_value_but_never_goes_back() {
    let beside = |first, second| [write(1, (0, 9), 5), read(2, (1, 2), first), read(2, (3, 4), second)];
    assert!(is_linearizable(&REGISTER, &beside(0, 0)));
    assert!(is_linearizable(&REGISTER, &beside(0, 5)));
    assert!(is_linearizable(&REGISTER, &beside(5, 5)));
    assert!(!is_linearizable(&REGISTER, &beside(5, 0)));
}

#[test]
fn events_of_one_time_overlap() {
    assert!(is_linearizable(&REGISTER, &[write(1, (0, 2), 5), read(2, (2, 3), 0)]));
    assert!(!is_linearizable(&REGISTER, &[write(1, (0, 2), 5), read(2, (3, 3), 0)]));
}

#[test]
fn only_one_of_two_equal_swaps_succeeds() {
    let swaps = |second| [swap(1, (0, 5), (0, 1), true), swap(2, (0, 5), (0, 1), second)];
    assert!(is_linearizable(&REGISTER, &swaps(false)));
    assert!(!is_linearizable(&REGISTER, &swaps(true)));
}

#[test]
fn a_write_of_unknown_outcome_may_have_happened() {
    assert!(is_linearizable(&REGISTER, &[lost_write(0, 5), read(2, (2, 3), 5)]));
    assert!(is_linearizable(&REGISTER, &[lost_write(0, 5), read(2, (2, 3), 0), read(2, (90, 91), 5)]), "late");
}

#[test]
fn a_write_of_unknown_outcome_may_never_have_happened() {
    assert!(is_linearizable(&REGISTER, &[lost_write(0, 5), read(2, (2, 3), 0), read(2, (4, 5), 0)]));
}

#[test]
fn a_write_of_unknown_outcome_does_not_happen_before_its_call_nor_twice_nor_otherwise() {
    assert!(!is_linearizable(&REGISTER, &[read(2, (2, 3), 5), lost_write(4, 5)]));
    let twice = [lost_write(0, 5), read(2, (2, 3), 5), write(1, (4, 5), 6), read(2, (6, 7), 6), read(2, (8, 9), 5)];
    assert!(!is_linearizable(&REGISTER, &twice));
    assert!(!is_linearizable(&REGISTER, &[lost_write(0, 5), read(2, (2, 3), 4)]));
}

#[test]
fn two_writes_of_unknown_outcome_may_be_seen_in_either_order() {
    for (first, second) in [(5, 6), (6, 5)] {
        let history = [lost_write(0, 5), lost_write(1, 6), read(1, (2, 3), first), read(1, (4, 5), second)];
        assert!(is_linearizable(&REGISTER, &history));
        let back: Vec<_> = history.into_iter().chain([read(1, (6, 7), first)]).collect();
        assert!(!is_linearizable(&REGISTER, &back));
    }
}

#[test]
fn a_chain_of_unknown_outcomes_may_all_have_happened_between_two_reads() {
    let swaps = (0..6).map(|value| lost(9, 0, RegisterInput::CompareAndSet { expected: value, new: value + 1 }));
    let history = |seen| swaps.clone().rev().chain([read(1, (1, 2), 0), read(1, (3, 4), seen)]).collect::<Vec<_>>();
    assert!(is_linearizable(&REGISTER, &history(6)));
    assert!(!is_linearizable(&REGISTER, &history(7)));
}

#[test]
fn a_lost_update_of_a_counter_is_a_violation() {
    let adds = |second| [done(1, (0, 5), CounterInput::Add(1), 1), done(2, (0, 5), CounterInput::Add(1), second)];
    assert!(is_linearizable(&Counter, &adds(2)));
    assert!(!is_linearizable(&Counter, &adds(1)));
}

#[test]
fn an_add_of_unknown_outcome_counts_once_or_never() {
    let seen = |total| [lost(1, 0, CounterInput::Add(7)), done(2, (5, 6), CounterInput::Read, total)];
    assert!(is_linearizable(&Counter, &seen(0)));
    assert!(is_linearizable(&Counter, &seen(7)));
    assert!(!is_linearizable(&Counter, &seen(14)), "a duplicate");
    assert!(!is_linearizable(&Counter, &seen(3)));
}

#[test]
fn a_list_keeps_the_order_of_appends_and_every_token_once() {
    use AppendListInput::{Append, Read};
    use AppendListOutput::{Length, Tokens};
    let seen = |tokens: &[u64]| {
        let appends =
            [done(1, (0, 1), Append(1), Length(1)), done(1, (2, 3), Append(2), Length(2)), lost(1, 4, Append(3))];
        let read = done(2, (5, 6), Read, Tokens(tokens.to_vec()));
        is_linearizable(&AppendList, &appends.into_iter().chain([read]).collect::<Vec<_>>())
    };
    assert!(seen(&[1, 2]));
    assert!(seen(&[1, 2, 3]));
    assert!(!seen(&[2, 1]), "another order");
    assert!(!seen(&[1]), "a lost append");
    assert!(!seen(&[1, 2, 2]), "a duplicate");
    assert!(!seen(&[1, 2, 3, 3]), "a duplicate of what may have happened");
}

#[test]
fn each_object_is_checked_alone() {
    /// Registers by name.
    struct Named;
    impl Model for Named {
        type State = u64;
        type Input = (&'static str, RegisterInput);
        type Output = RegisterOutput;

        fn start(&self) -> u64 {
            0
        }

        fn apply(&self, state: &u64, (_, input): &Self::Input) -> (u64, RegisterOutput) {
            REGISTER.apply(state, input)
        }
    }
    let named = |name, it: RegisterOperation| Operation {
        client: it.client,
        call: it.call,
        input: (name, it.input),
        end: it.end,
    };
    let history = [
        named("right", write(1, (0, 1), 5)),
        named("wrong", write(2, (0, 1), 6)),
        named("wrong", read(2, (2, 3), 5)),
        named("right", read(2, (2, 3), 5)),
    ];
    let verdicts = check_each(&Named, &history, |(name, _)| *name, Limits::default());
    assert_eq!(verdicts.keys().collect::<Vec<_>>(), [&"right", &"wrong"]);
    assert!(verdicts["right"].is_linearizable() && verdicts["wrong"].is_violation());
}
