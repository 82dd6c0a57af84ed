//! A check ends where it was told to.

use super::super::models::Register;
use super::super::{Limits, Verdict, check};
use super::*;

/// Writes that all overlap, and a read of what none of them wrote.
fn hard() -> Vec<RegisterOperation> {
    (1..=24).map(|value| write(value, (0, 10), value)).chain([read(99, (11, 12), 99)]).collect()
}

#[test]
fn a_check_that_reaches_its_steps_says_that_nothing_is_proven() {
    let limits = Limits { steps: 5_000, time: None };
    assert_eq!(check(&Register::default(), &hard(), limits), Verdict::Unknown { steps: 5_000 });
}

#[test]
fn a_check_that_reaches_its_time_says_that_nothing_is_proven() {
    let limits = Limits { steps: u64::MAX, time: Some(Duration::ZERO) };
    assert_eq!(check(&Register::default(), &hard(), limits), Verdict::Unknown { steps: 0 });
    let limits = Limits { steps: u64::MAX, time: Some(ms(20)) };
    assert!(matches!(check(&Register::default(), &hard(), limits), Verdict::Unknown { steps: 1.. }));
}
