//! A network that fails on command.

mod frames;
mod gate;
mod net;
mod pace;
mod stream;

pub use net::{FaultNet, Network};
