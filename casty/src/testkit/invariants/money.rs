//! Money is neither made nor lost.

use crate::testkit::history::{End, Operation};
use crate::testkit::workload::{AccountInput, AccountOutput, Recording};

/// The last balances add up to what was paid in less what was paid out, as far as that is known.
pub(super) fn check(recording: &Recording) -> Vec<String> {
    let Some(total) = recording.accounts.values().map(|operations| last_balance(operations)).sum::<Option<u64>>()
    else {
        return Vec::new();
    };
    let (mut least, mut most) = (0, 0);
    for operation in recording.accounts.values().flatten() {
        let (for_sure, perhaps) = moved(operation);
        least += for_sure + perhaps.min(0);
        most += for_sure + perhaps.max(0);
    }
    let fits = (least..=most).contains(&i128::from(total));
    if fits { Vec::new() } else { vec![format!("the accounts hold {total}, and {least} to {most} would be right")] }
}

/// How much an operation moved into an account for sure, and how much it may have.
fn moved(operation: &Operation<AccountInput, AccountOutput>) -> (i128, i128) {
    let amount = match operation.input {
        AccountInput::Deposit(amount) => i128::from(amount),
        AccountInput::Withdraw(amount) => -i128::from(amount),
        AccountInput::Balance => 0,
    };
    match &operation.end {
        End::Returned { output: AccountOutput::Balance(_), .. } => (amount, 0),
        End::Returned { output: AccountOutput::Overdrawn(_), .. } => (0, 0),
        End::Unknown => (0, amount),
    }
}

/// The balance that the last answered look at an account told.
fn last_balance(operations: &[Operation<AccountInput, AccountOutput>]) -> Option<u64> {
    operations.iter().rev().find_map(|operation| match (&operation.input, &operation.end) {
        (AccountInput::Balance, End::Returned { output: AccountOutput::Balance(balance), .. }) => Some(*balance),
        _ => None,
    })
}
