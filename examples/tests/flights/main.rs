//! The main job: its parts without a cluster, and the program as a whole.

#[cfg(test)]
mod kills;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod options;
#[cfg(test)]
mod plant;
#[cfg(test)]
mod program;
#[cfg(test)]
mod report;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod totals;
