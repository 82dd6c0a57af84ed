//! What a person is told of a violation.

use super::super::models::Register;
use super::super::{Counterexample, Limits, Verdict, check};
use super::*;

fn counterexample(operations: &[RegisterOperation]) -> Counterexample {
    match check(&Register::default(), operations, Limits::default()) {
        Verdict::Violation(counterexample) => counterexample,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_counterexample_tells_the_order_the_state_and_what_does_not_fit() {
    let history = [
        write(1, (0, 4), 5),
        lost(3, 1, RegisterInput::Write(9)),
        write(2, (5, 6), 6),
        read(1, (7, 9), 5),
        read(2, (10, 11), 6),
    ];
    let counterexample = counterexample(&history);
    assert_eq!(counterexample.placed.iter().map(|line| line.index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(counterexample.stuck.iter().map(|stuck| stuck.line.index).collect::<Vec<_>>(), [3]);
    let expected = "\
not linearizable: 2 of 5 operations can be put in order, and then none fits
      0.000 ms ..     4.000 ms  client 1    Write(5) -> Written
      5.000 ms ..     6.000 ms  client 2    Write(6) -> Written
the state is then 6, and one of these must be next:
      7.000 ms ..     9.000 ms  client 1    Read -> Value(5), but Value(6) would be right
these, of unknown outcome, may have happened, and do not help:
      1.000 ms ..            ?  client 3    Write(9) -> unknown
";
    assert_eq!(counterexample.to_string(), expected);
}

#[test]
fn what_took_effect_with_unknown_outcome_is_part_of_the_order() {
    let history = [lost(3, 0, RegisterInput::Write(9)), read(1, (1, 2), 9), read(1, (3, 4), 0)];
    let counterexample = counterexample(&history);
    assert_eq!(counterexample.placed.iter().map(|line| line.index).collect::<Vec<_>>(), [0, 1]);
    assert!(counterexample.left.is_empty());
}

#[test]
fn of_a_long_history_only_the_end_is_printed() {
    let written = (0..1000).map(|number| write(1, (2 * number, 2 * number + 1), number));
    let history: Vec<_> = written.chain([read(2, (5000, 5001), 7)]).collect();
    let text = counterexample(&history).to_string();
    assert!(text.contains("1000 of 1001 operations") && text.contains("(988 earlier ones)"), "{text}");
    assert!(text.lines().count() < 20, "{text}");
}
