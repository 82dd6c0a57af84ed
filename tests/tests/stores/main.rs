//! Entities that are kept in stores outside of the cluster.

#![cfg(test)]

mod contract;
mod faults;
mod kept;
mod owners;
mod postgres;
mod support;
