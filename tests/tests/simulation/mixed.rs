//! The mixed workload under all faults.

use casty::testkit::sim::Sim;

#[test]
fn every_promise_holds_under_all_faults() {
    Sim::mixed().run(0..200, |run| run.mixed());
}
