//! Handlers that return a `Result`.

/// Splits a `Result`, whatever alias it is written with.
#[diagnostic::on_unimplemented(
    message = "the reply type `{Self}` is called `Result` but is not one",
    label = "not a `Result`",
    note = "give the type another name: a handler's `Result` is split into what the asker gets and its error"
)]
pub trait IntoOutcome {
    /// What the asker gets.
    type Ok;
    /// What it gets otherwise.
    type Error;

    /// The same value, known to be a `Result`.
    fn into_outcome(self) -> Result<Self::Ok, Self::Error>;
}

impl<T, E> IntoOutcome for Result<T, E> {
    type Ok = T;
    type Error = E;

    fn into_outcome(self) -> Self {
        self
    }
}
