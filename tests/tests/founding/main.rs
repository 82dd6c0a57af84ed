//! How a cluster begins, and who may come later.

mod declarations;
mod guests;
mod start;
