//! What is measured, and the runtimes in which it is: time, processor time, memory, allocations.

mod allocator;
mod clock;
mod memory;
mod threads;

pub use allocator::{Counted, Counting};
pub use clock::{Sample, Stopwatch, cpu_time};
pub use memory::resident_bytes;
pub use threads::Threads;
