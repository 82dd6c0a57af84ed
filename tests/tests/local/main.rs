//! Actors of one process, as their users see them.

#![cfg(test)]

mod children;
mod cycles;
mod ending;
mod generics;
mod idle;
mod instruments;
mod overflow;
mod pools;
mod registry;
mod restarts;
mod strategies;
mod streams;
mod support;
mod testkit;
mod timers;
mod watching;
