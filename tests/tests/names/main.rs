//! Actors with names that are unique in the whole cluster.

#![cfg(test)]

mod given;
mod lookup;
mod room;
