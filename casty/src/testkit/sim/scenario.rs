//! What a run consists of besides nodes and faults.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;

use super::client::{Client, Task, Violation};
use crate::testkit::invariants::{self, Invariant};

/// The user's part of one run: clients, and what must hold. It is made anew for every seed.
pub struct Scenario {
    pub(super) clients: Vec<Box<dyn Fn(Client) -> Task + Send>>,
    pub(super) always: Vec<Box<dyn Invariant>>,
    pub(super) finally: Vec<Check>,
}

/// What must hold at the end.
pub(super) struct Check {
    invariant: String,
    run: Box<dyn Fn(Client) -> BoxFuture<'static, Result<(), String>> + Send>,
}

/// What a check found, if it could tell.
pub(super) type Verdict = Arc<OnceLock<Result<(), Violation>>>;

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

    /// Checks this at the end, when the faults are over and the cluster has healed. An `Err` says what is wrong. If the node on
    /// which it runs ends meanwhile, it is run again on another.
    pub fn finally<F, Fut>(&mut self, invariant: &str, check: F)
    where
        F: Fn(Client) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let run = Box::new(move |given| Box::pin(check(given)) as BoxFuture<'static, _>);
        self.finally.push(Check { invariant: invariant.to_owned(), run });
    }
}

impl Check {
    /// The check as a task for a client's node. It comes to no verdict if that ends before.
    pub(super) fn task(&self, client: Client, verdict: Verdict) -> Task {
        let (invariant, life) = (self.invariant.clone(), client.life());
        let checking = (self.run)(client);
        Box::pin(async move {
            let found = checking.await;
            // Of a node that ends, all that it was asked fails.
            if found.is_ok() || !life.is_closed() {
                let _ = verdict.set(found.map_err(|explanation| Violation { invariant, explanation }));
            }
            Ok(())
        })
    }
}
