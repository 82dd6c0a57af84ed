//! Actors of which there is one instance in the whole cluster.

#![cfg(test)]

mod clerk;
mod one;
