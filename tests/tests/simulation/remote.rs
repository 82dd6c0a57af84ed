//! Actors of other nodes, while nodes crash and links break.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use casty::prelude::*;
use casty::testkit::sim::{Client, Faults, Scenario, Sim};

/// The `n`-th message of a sender.
#[message]
pub(crate) struct Count {
    from: u64,
    n: u64,
}

/// Notices when messages of one sender come in another order than they were sent.
pub(crate) struct Receiver {
    last: BTreeMap<u64, u64>,
    wrong: Arc<Mutex<Option<String>>>,
}

#[actor(name = "tests.Receiver")]
impl Receiver {
    #[handler]
    fn count(&mut self, Count { from, n }: Count) -> (u64, u64) {
        if let Some(last) = self.last.insert(from, n)
            && last >= n
        {
            *self.wrong.lock().unwrap() = Some(format!("{n} of {from} came after {last}"));
        }
        (from, n)
    }
}

/// What the clients of one run share.
#[derive(Clone, Default)]
struct Shared {
    /// The address of the latest receiver.
    address: Arc<Mutex<Option<Vec<u8>>>>,
    wrong: Arc<Mutex<Option<String>>>,
    /// Asks that were answered.
    answered: Arc<Mutex<u64>>,
}

/// The first node has a receiver, and the others send to it and ask it.
fn counting(run: &mut Scenario, shared: &Shared) {
    let shared = shared.clone();
    run.client(move |client| {
        let shared = shared.clone();
        async move {
            match client.number() {
                1 => receive(client, shared).await,
                _ => count(client, shared).await,
            }
        }
    });
}

async fn receive(client: Client, shared: Shared) {
    let receiver = Receiver { last: BTreeMap::new(), wrong: Arc::clone(&shared.wrong) };
    let Ok(receiver) = client.node().spawn(receiver).await else { return };
    *shared.address.lock().unwrap() = client.node().export(&receiver).ok();
    while client.goes_on() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn count(mut client: Client, shared: Shared) {
    let from = client.random(0..1 << 40);
    for n in 0.. {
        if !client.goes_on() {
            return;
        }
        let address = shared.address.lock().unwrap().clone();
        let receiver = address.and_then(|address| client.node().import::<Receiver>(&address).ok());
        let Some(receiver) = receiver else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if client.random(0..4) > 0 {
            // What is lost is a gap.
            let _ = receiver.send(Count { from, n }).await;
        } else {
            match receiver.ask(Count { from, n }).timeout(Duration::from_secs(1)).await {
                Ok(reply) if reply == (from, n) => *shared.answered.lock().unwrap() += 1,
                Ok(other) => client.violates("a reply is its asker's", format!("{other:?} for {from}, {n}")),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        if let Some(wrong) = shared.wrong.lock().unwrap().take() {
            client.violates("a sender's order is kept", wrong);
        }
    }
}

#[test]
fn order_is_kept_and_replies_are_their_askers_under_all_faults() {
    let shared = Shared::default();
    Sim::new(3).faults(Faults::all()).lasting(Duration::from_secs(6)).run(0..30, |run| {
        *shared.address.lock().unwrap() = None;
        counting(run, &shared);
    });
    assert!(*shared.answered.lock().unwrap() > 1_000, "hardly anything was asked");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = |seed| {
        let shared = Shared::default();
        Sim::new(3).faults(Faults::all()).lasting(Duration::from_secs(4)).run_one(seed, |run| counting(run, &shared))
    };
    for seed in [3, 8] {
        let (first, second) = (run(seed).unwrap(), run(seed).unwrap());
        assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
    }
}
