//! What an entity sends and asks.

use std::time::Duration;

use casty::cluster::Kind;
use casty::{AskError, ClusterConfig};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use casty_tests::desk::*;
use casty_tests::gates::Gate;
use casty_tests::journal::*;
use tokio::time::timeout;

/// A desk whose group node 1 leads, and a journal whose group node 2 leads.
const ASKER: usize = 0;
const LEADER: usize = 1;
const TARGET: usize = 2;

struct Office {
    cluster: Cluster,
    desks: Vec<casty::Sharded<Desk>>,
    journals: Vec<casty::Sharded<Journal>>,
    desk: String,
    journal: String,
}

async fn office(name: &str) -> Office {
    office_with(name, |config| config).await
}

async fn office_with(name: &str, settings: impl Fn(ClusterConfig) -> ClusterConfig) -> Office {
    let cluster = Cluster::start_with(3, settings).await;
    let desks = cluster.sharded::<Desk>("desk").await;
    let journals = cluster.sharded::<Journal>("journal").await;
    let desk = cluster.ids_led_by(LEADER, &desks[ASKER], &format!("desk-{name}")).next().unwrap();
    let journal = cluster.ids_led_by(TARGET, &journals[ASKER], &format!("journal-{name}")).next().unwrap();
    cluster.quiet().await;
    Office { cluster, desks, journals, desk, journal }
}

impl Office {
    /// What the desk's node knows of the journal, behind all that it sent there.
    async fn entries(&self, seen_by: usize) -> Vec<u64> {
        self.journals[seen_by].entity(self.journal.as_str()).entries(Entries).timeout(DEADLINE).await.unwrap()
    }

    fn cannot_commit(&self) {
        self.cluster.hold(LEADER, ASKER, Kind::RAFT);
        self.cluster.hold(LEADER, TARGET, Kind::RAFT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_sends_leaves_when_its_write_is_committed_and_arrives_once() {
    let office = office("sends").await;
    give_journals(&office.desk, &office.journals[LEADER]);
    let desk = office.desks[ASKER].entity(office.desk.as_str());
    // The way there is open: a message takes it at once.
    office.journals[LEADER].entity(office.journal.as_str()).append(Append { n: 1 }).await.unwrap();

    office.cannot_commit();
    let forwarding = tokio::spawn({
        let (desk, to) = (desk.clone(), office.journal.clone());
        async move { desk.forward(Forward { to, n: 2 }).timeout(DEADLINE).await }
    });
    eventually(DEADLINE, "the handler has run", || Gate::of(&office.desk).entered() > 0).await;
    assert_eq!(office.entries(LEADER).await, [1], "it left before its write was committed");
    office.cluster.network.heal();

    assert_eq!(forwarding.await.unwrap(), Ok(1));
    eventually(DEADLINE, "it has arrived", || Gate::of(&office.journal).entered() > 1).await;
    assert_eq!(desk.forward(Forward { to: office.journal.clone(), n: 3 }).await, Ok(2));
    eventually(DEADLINE, "the next has arrived", || Gate::of(&office.journal).entered() > 2).await;
    assert_eq!(office.entries(ASKER).await, [1, 2, 3], "the first run's message, and the second's, were sent once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_sent_before_it_panicked_never_leaves() {
    let office = office("panics").await;
    for journals in &office.journals {
        give_journals(&office.desk, journals);
        let desk = office.desks[ASKER].entity(office.desk.as_str());
        let to = office.journal.clone();
        assert_eq!(desk.forward_and_panic(ForwardAndPanic { to, n: 1 }).await, Err(AskError::Failed));
    }
    let desk = office.desks[ASKER].entity(office.desk.as_str());
    assert_eq!(desk.forward(Forward { to: office.journal.clone(), n: 2 }).await, Ok(1));
    eventually(DEADLINE, "the last has arrived", || Gate::of(&office.journal).entered() > 0).await;
    assert_eq!(office.entries(ASKER).await, [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_asks_waits_for_the_earlier_writes_of_its_entity() {
    let office = office("asks").await;
    give_journals(&office.desk, &office.journals[LEADER]);
    let desk = office.desks[ASKER].entity(office.desk.as_str());
    let consult = |n| Consult { to: office.journal.clone(), n };
    assert_eq!(desk.consult(consult(1)).await, Ok(1), "an entity asks another");

    let runs = Gate::of(&office.desk).entered();
    office.cannot_commit();
    let asking = tokio::spawn({
        let (desk, to, last) = (desk.clone(), office.journal.clone(), consult(3));
        async move {
            tokio::join!(desk.forward(Forward { to, n: 2 }).timeout(DEADLINE), desk.consult(last).timeout(DEADLINE))
        }
    });
    eventually(DEADLINE, "both handlers run", || Gate::of(&office.desk).entered() >= runs + 2).await;
    assert_eq!(office.entries(LEADER).await, [1], "it asked before an earlier write was committed");
    office.cluster.network.heal();

    let (forwarded, consulted) = asking.await.unwrap();
    assert_eq!(forwarded, Ok(2));
    assert!(consulted.is_ok(), "{consulted:?}");
    eventually(Duration::from_secs(5), "all has arrived", || Gate::of(&office.journal).entered() >= 3).await;
    let mut entries = office.entries(ASKER).await;
    entries.sort_unstable();
    assert_eq!(entries, [1, 2, 3]);
    assert_eq!(desk.handled(Handled).await, Ok(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_asks_does_not_overtake_what_its_entity_sent_before() {
    let office = office_with("overtaking", |config| config.window(16)).await;
    give_journals(&office.desk, &office.journals[LEADER]);
    let desk = office.desks[ASKER].entity(office.desk.as_str());
    // The journal's share of the window on the desk's node is taken: what the desk sends has to wait there.
    let journal = office.journals[LEADER].entity(office.journal.as_str());
    for n in [1, 2] {
        journal.send(AppendLater { n }).await.unwrap();
    }
    eventually(DEADLINE, "the first append waits", || Gate::of(&office.journal).entered() == 1).await;
    assert_eq!(desk.forward(Forward { to: office.journal.clone(), n: 3 }).await, Ok(1));

    let asking = tokio::spawn({
        let (desk, consult) = (desk.clone(), Consult { to: office.journal.clone(), n: 4 });
        async move { desk.consult(consult).timeout(DEADLINE).await }
    });
    eventually(DEADLINE, "the second handler runs", || Gate::of(&office.desk).entered() == 2).await;
    // An ask from outside goes the whole way meanwhile.
    assert_eq!(office.desks[LEADER].entity("another").handled(Handled).await, Ok(0));
    Gate::of(&office.journal).open(2);
    timeout(DEADLINE, asking).await.unwrap().unwrap().unwrap();
    assert_eq!(office.entries(ASKER).await, [1, 2, 3, 4]);
}
