//! Groups of real hosts over connections in memory, on a paused clock: time passes only when nobody has work.

mod agreement;
mod cluster;
mod leaders;
mod net;
mod recorder;
mod snapshots;
