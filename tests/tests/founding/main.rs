//! How a cluster begins.

#![cfg(test)]

mod declarations;
mod start;
