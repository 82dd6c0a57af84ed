//! The simulator finds what it is there to find, and says what a user needs to know.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use casty::prelude::*;
use casty::testkit::sim::{Cluster, FaultKind, Faults, Scenario, Sim};

/// Adds one.
#[message]
pub(crate) struct Add;

/// Counts, and forgets it with its node: `count` is not among the persistent fields.
#[persistent(kept)]
pub(crate) struct Forgetful {
    count: u64,
    kept: (),
}

#[actor(name = "tests.Forgetful")]
impl Forgetful {
    fn new(_: EntityId) -> Self {
        Self { count: 0, kept: () }
    }

    #[handler]
    fn add(&mut self, _: Add) -> u64 {
        self.count += 1;
        self.count
    }
}

fn counts(run: &mut Scenario) {
    run.client(|client| async move {
        if client.number() != 1 {
            return;
        }
        let Ok(counters) = client.node().sharded::<Forgetful>("forgetful").start().await else { return };
        let mut last = 0;
        while client.goes_on() {
            if let Ok(count) = counters.entity("one").ask(Add).await {
                if count <= last {
                    client.violates("a count grows", format!("{count} came after {last}"));
                }
                last = count;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn an_actor_that_forgets_its_state_is_found_and_the_failure_tells_how_to_see_it_again() {
    let sim = Sim::new(3).faults(Faults::all()).lasting(Duration::from_secs(6));
    let failure = sim.find(0..50, counts).expect_err("the fault is found");
    assert_eq!(failure.invariant, "a count grows");
    let text = failure.to_string();
    for part in
        ["it does not hold that a count grows", "fault: ", &format!("CASTY_SIM_SEED={} cargo test", failure.seed)]
    {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let again = sim.run_one(failure.seed, counts).expect_err("the seed shows it again");
    assert_eq!((again.at, again.fingerprint), (failure.at, failure.fingerprint));
}

#[test]
fn without_faults_nothing_is_found() {
    Sim::new(3).lasting(Duration::from_secs(3)).run(0..3, counts);
}

#[test]
fn a_check_whose_node_ends_is_run_again_on_another_and_what_it_says_then_counts() {
    let sim = Sim::new(3).lasting(Duration::from_secs(1));
    for verdict in [Ok(()), Err("it is wrong".to_owned())] {
        let begun = Arc::<AtomicUsize>::default();
        let found = sim.run_one(0, |run| {
            let (begun, verdict) = (begun.clone(), verdict.clone());
            run.finally("the end is right", move |client| {
                let (is_first, verdict) = (begun.fetch_add(1, Ordering::Relaxed) == 0, verdict.clone());
                async move {
                    if is_first {
                        client.node().shutdown().await;
                        return Err("its node has ended".to_owned());
                    }
                    verdict
                }
            });
        });
        assert_eq!(found.map(drop).map_err(|failure| failure.explanation), verdict);
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }
}

#[test]
fn an_invariant_of_the_users_is_checked_after_every_step() {
    let few_members = |cluster: &Cluster<'_>| {
        let most = cluster.nodes().map(|(_, node)| node.members().len()).max().unwrap_or(0);
        if most < 3 { Ok(()) } else { Err(format!("{most} members")) }
    };
    let found = Sim::new(3).run_one(0, |run| run.always(("there are fewer than three members", few_members)));
    let failure = found.expect_err("three nodes find each other");
    assert_eq!(
        (failure.invariant.as_str(), failure.explanation.as_str()),
        ("there are fewer than three members", "3 members")
    );
}

#[test]
fn a_client_that_panics_fails_the_run() {
    let found = Sim::new(1).run_one(0, |run| {
        run.client(|_| async { assert_eq!(1 + 1, 3, "arithmetic") });
    });
    let failure = found.expect_err("a failed assertion is a violation");
    assert!(failure.explanation.contains("arithmetic"), "{failure}");
}

#[test]
fn a_node_that_stands_still_is_not_killed_for_it_and_serves_again() {
    let faults = Faults::none().with(FaultKind::Pause).with(FaultKind::Freeze).longest(Duration::from_secs(5));
    Sim::new(3).faults(faults).lasting(Duration::from_secs(8)).run(0..4, |run| run.mixed());
}
