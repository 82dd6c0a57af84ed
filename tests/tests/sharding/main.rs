//! Entities in a cluster.

mod basics;
mod observer;
