//! State that outlives the processes that hold it.

#![cfg(test)]

mod disks;
mod failing;
mod identity;
mod kills;
mod recovery;
mod restarts;
mod unsynced;
