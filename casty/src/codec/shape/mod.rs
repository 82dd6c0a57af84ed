//! What a type looks like in bytes, found out by decoding made-up values of it.
//!
//! The type's `Deserialize` asks for what it reads; a deserializer that answers with made-up values and writes down what it
//! was asked for learns the shape (the idea is that of the crate `serde-reflection`). Several runs see all variants of all
//! enums. What a type reads behind a check that no made-up value passes stays unknown, and the rest is told all the same.

mod deserializer;
mod nodes;
mod text;
mod tracer;

use std::fmt;

use serde::de::DeserializeOwned;

use self::tracer::Tracer;
use crate::base::stable_hash;

/// The shape of a type, spelled out: `Account{owner:text,limits:seq<u64>}`. Two types with the same are read from the same
/// bytes, as far as they use derived code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(String);

impl Shape {
    /// The shape of `T`. Runs its `Deserialize`.
    pub fn of<T: DeserializeOwned>() -> Self {
        Self(text::of(&Tracer::trace::<T>().nodes))
    }

    /// A short name of the shape, the same in every process and of every build.
    pub fn fingerprint(&self) -> u64 {
        stable_hash(self.0.as_bytes())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
