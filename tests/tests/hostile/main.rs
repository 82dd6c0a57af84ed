//! Strangers on the network, who say anything or nothing to a node: its clients do not notice, and peers get through.

#![cfg(test)]

mod frames;
mod noise;
mod siege;
mod silence;
