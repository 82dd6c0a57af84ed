//! Actors that are reached from other nodes.

#![cfg(test)]

mod basics;
mod bytes;
mod ends;
mod loss;
mod order;
mod streams;
mod support;
mod watching;
