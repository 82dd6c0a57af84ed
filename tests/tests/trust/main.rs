//! Who is let into a cluster: real nodes on loopback, with certificates that the tests make.

#![cfg(test)]

mod certificates;
mod outsiders;
mod pairs;
mod recorded;
mod reload;
mod watch;
