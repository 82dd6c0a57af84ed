//! The simulator itself, and casty in it.

#![cfg(test)]

mod determinism;
mod findings;
mod mixed;
mod remote;
