//! What recordings say about lists.

use std::time::Duration;

use crate::testkit::history::{End, Operation};
use crate::testkit::linearizability::models::{AppendListInput, AppendListOutput};

type Op = Operation<AppendListInput, AppendListOutput>;

/// Every read of a list: when it was called, and what it saw.
pub(super) fn reads(operations: &[Op]) -> impl Iterator<Item = (Duration, &[u64])> {
    operations.iter().filter_map(|operation| match &operation.end {
        End::Returned { output: AppendListOutput::Tokens(tokens), .. } => Some((operation.call, tokens.as_slice())),
        _ => None,
    })
}

/// Every append that was answered: its token, when it was answered, and the length that it was told.
pub(super) fn answered(operations: &[Op]) -> impl Iterator<Item = (u64, Duration, u64)> {
    operations.iter().filter_map(|operation| match (&operation.input, &operation.end) {
        (AppendListInput::Append(token), End::Returned { at, output: AppendListOutput::Length(length) }) => {
            Some((*token, *at, *length))
        }
        _ => None,
    })
}
