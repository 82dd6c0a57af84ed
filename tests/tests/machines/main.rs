//! State machines of a user's own, replicated by the cluster.

#![cfg(test)]

mod apply;
mod copies;
mod store;
