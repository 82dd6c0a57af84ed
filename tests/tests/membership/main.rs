//! Nodes that join, leave, die and come back, and what becomes of the groups.

#![cfg(test)]

mod events;
mod joining;
mod leaving;
mod replacing;
mod roles;
mod votes;
