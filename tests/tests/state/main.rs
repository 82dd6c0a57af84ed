//! What of an actor is state: which fields, what of them is logged, what events make of them, and what becomes of those that an earlier program kept.

#![cfg(test)]

mod by_hand;
mod counted;
mod events;
mod files;
mod large;
mod layouts;
mod start;
