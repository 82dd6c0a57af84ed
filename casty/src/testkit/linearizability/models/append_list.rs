//! A list that is only appended to.

use serde::{Deserialize, Serialize};

use super::super::Model;

/// A list of tokens. If every token is appended once, its reads tell the order of all appends that they see, and so a
/// violation is found soon.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppendList;

/// What an [`AppendList`] may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AppendListInput {
    /// Put this token at the end.
    Append(u64),
    /// The list, please.
    Read,
}

/// What an [`AppendList`] answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AppendListOutput {
    /// To an append: how many tokens there are now, so the first gets 1.
    Length(u64),
    /// To a read: the tokens in order.
    Tokens(Vec<u64>),
}

impl Model for AppendList {
    type State = Vec<u64>;
    type Input = AppendListInput;
    type Output = AppendListOutput;

    fn start(&self) -> Vec<u64> {
        Vec::new()
    }

    fn apply(&self, tokens: &Vec<u64>, input: &AppendListInput) -> (Vec<u64>, AppendListOutput) {
        match input {
            AppendListInput::Append(token) => {
                let tokens: Vec<_> = tokens.iter().copied().chain([*token]).collect();
                let length = tokens.len() as u64;
                (tokens, AppendListOutput::Length(length))
            }
            AppendListInput::Read => (tokens.clone(), AppendListOutput::Tokens(tokens.clone())),
        }
    }

    fn is_read(&self, input: &AppendListInput) -> bool {
        matches!(input, AppendListInput::Read)
    }

    fn may_yet_return(&self, tokens: &Vec<u64>, input: &AppendListInput, output: &AppendListOutput) -> bool {
        match (input, output) {
            (AppendListInput::Append(_), AppendListOutput::Length(length)) => tokens.len() < *length as usize,
            (AppendListInput::Read, AppendListOutput::Tokens(seen)) => seen.starts_with(tokens),
            _ => false,
        }
    }
}
