//! What a run consists of besides nodes and faults.

use std::future::Future;

use super::client::{Client, Task, Violation};
use crate::testkit::invariants::{self, Invariant};

/// The user's part of one run: clients, and what must hold. It is made anew for every seed.
pub struct Scenario {
    pub(super) clients: Vec<Box<dyn Fn(Client) -> Task + Send>>,
    pub(super) always: Vec<Box<dyn Invariant>>,
    pub(super) finally: Vec<Box<dyn FnOnce(Client) -> Task + Send>>,
}

impl Scenario {
    /// No clients, and the invariants that hold for every cluster.
    pub(super) fn new() -> Self {
        Self { clients: Vec::new(), always: invariants::of_every_cluster(), finally: Vec::new() }
    }

    /// Runs this on every node as soon as it is ready, and again on each that takes its place after a crash.
    pub fn client<F, Fut>(&mut self, client: F)
    where
        F: Fn(Client) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.clients.push(Box::new(move |given| {
            let running = client(given);
            Box::pin(async move {
                running.await;
                Ok(())
            })
        }));
    }

    /// Checks this after every step.
    pub fn always(&mut self, invariant: impl Invariant + 'static) {
        self.always.push(Box::new(invariant));
    }

    /// Checks this at the end, when the faults are over and the cluster has healed. An `Err` says what is wrong.
    pub fn finally<F, Fut>(&mut self, invariant: &str, check: F)
    where
        F: FnOnce(Client) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let invariant = invariant.to_owned();
        self.finally.push(Box::new(move |given| {
            let checking = check(given);
            Box::pin(async move { checking.await.map_err(|explanation| Violation { invariant, explanation }) })
        }));
    }
}
