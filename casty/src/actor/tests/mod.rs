//! Actors, as their references see them.

mod asks;
mod dead_letters;
mod deadlines;
mod life;
mod order;
mod probe;
mod scope;
mod system;
