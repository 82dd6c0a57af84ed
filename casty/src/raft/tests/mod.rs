//! Groups of real hosts over connections in memory. But where a disk takes its time, the clock is paused: time passes only
//! when nobody has work.

mod agreement;
mod cluster;
mod durable;
mod leaders;
mod net;
mod recorder;
mod returning;
mod snapshots;
mod table;
mod transfers;
