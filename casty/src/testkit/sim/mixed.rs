//! The mixed workload on a simulated cluster: what casty tests itself with.

use std::time::Duration;

use super::{Faults, Scenario, Sim};
use crate::testkit::invariants::judge;
use crate::testkit::workload::{self, Books, Objects, Pace};

/// How many clients run on each node.
const CLIENTS: usize = 2;

impl Sim {
    /// Three nodes and an observer, all faults, for some seconds.
    pub fn mixed() -> Self {
        Self::new(3).observers(1).faults(Faults::all()).lasting(Duration::from_secs(8))
    }
}

impl Scenario {
    /// Adds the clients of the mixed workload, and every invariant that its recording is judged by.
    pub fn mixed(&mut self) {
        let (books, pace) = (Books::new(), Pace::default());
        for _ in 0..CLIENTS {
            let (books, pace) = (books.clone(), pace.clone());
            self.client(move |client| {
                let (books, pace) = (books.clone(), pace.clone());
                async move {
                    match Objects::start(client.node()).await {
                        Ok(objects) => workload::run(&objects, &books, &pace, client).await,
                        Err(error) => client.note(format!("a client cannot begin: {error}")),
                    }
                }
            });
        }
        self.finally("the workload is served and all that it saw is right", move |client| async move {
            let objects = Objects::start(client.node()).await.map_err(|error| error.to_string())?;
            let silent = workload::read_all(&objects, &books, &pace, client).await;
            if !silent.is_empty() {
                return Err(format!("after the faults these do not answer: {}", silent.join(", ")));
            }
            judge(&books.recording()).into_result()
        });
    }
}
