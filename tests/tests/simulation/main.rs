//! The simulator itself, and casty in it.

mod determinism;
mod findings;
mod mixed;
