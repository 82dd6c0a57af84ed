//! Actors that are reached from other nodes.

#![cfg(test)]

mod basics;
mod bytes;
mod ends;
mod linking;
mod loss;
mod order;
mod spawning;
mod streams;
mod support;
mod topics;
mod watching;
