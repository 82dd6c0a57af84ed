//! What a test expected, and did not get.

use std::time::Duration;

/// What a test expected, and did not get.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unmet {
    /// Nothing came in time.
    #[error("expected {expected}, and nothing came within {within:?}")]
    Nothing {
        /// What was expected.
        expected: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// Something else came. It is taken: the next expectation sees what comes after it.
    #[error("expected {expected}, and got a `{found}`")]
    Other {
        /// What was expected.
        expected: String,
        /// The type of the message that came.
        found: &'static str,
    },
    /// The actor stopped before, or failed in the look that the test took.
    #[error("expected {expected}, and the actor has stopped, or failed as the test looked at it")]
    Stopped {
        /// What was expected.
        expected: String,
    },
}
