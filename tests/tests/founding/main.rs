//! How a cluster begins, and who may come later.

#![cfg(test)]

mod declarations;
mod guests;
mod start;
