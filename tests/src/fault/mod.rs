//! A network that fails on command.

mod gate;
mod net;
mod pace;
mod stream;

pub use net::{FaultNet, Network};
