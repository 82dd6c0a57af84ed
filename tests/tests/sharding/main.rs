//! Entities in a cluster.

mod basics;
