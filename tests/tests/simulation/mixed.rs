//! The mixed workload under all faults.

use casty::testkit::sim::Sim;

#[test]
fn every_promise_holds_under_all_faults() {
    Sim::mixed().run(0..200, |run| run.mixed());
}

#[test]
fn every_promise_holds_when_any_number_of_nodes_crash_that_have_disks() {
    Sim::mixed_durable().run(0..100, |run| run.mixed());
}
