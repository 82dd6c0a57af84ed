//! The mixed workload on a simulated cluster: what casty tests itself with.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, Faults, Scenario, Sim};
use crate::base::BoxError;
use crate::testkit::invariants::judge;
use crate::testkit::workload::{self, Books, Objects, Pace};

impl Sim {
    /// Three nodes and an observer, all faults, for some seconds.
    pub fn mixed() -> Self {
        Self::new(3).observers(1).faults(Faults::all()).lasting(Duration::from_secs(8))
    }

    /// The same with disks, which fail, and where all machines lose power at once.
    pub fn mixed_durable() -> Self {
        Self::mixed().faults(Faults::with_disks()).durable()
    }
}

impl Scenario {
    /// Adds the clients of the mixed workload, on each node one that calls by way of it and one that calls the cluster from
    /// outside, and every invariant that its recording is judged by.
    pub fn mixed(&mut self) {
        let (books, pace) = (Books::new(), Pace::default());
        let (of_nodes, of_clients) = ((books.clone(), pace.clone()), (books.clone(), pace.clone()));
        self.client(move |client| {
            let (books, pace) = of_nodes.clone();
            async move {
                match Objects::start(client.node()).await {
                    Ok(objects) => workload::run(&objects, &books, &pace, client).await,
                    Err(error) => client.note(format!("a client cannot begin: {error}")),
                }
            }
        });
        self.client(move |client| {
            let (books, pace) = of_clients.clone();
            async move {
                match outside(&client).await {
                    Ok((objects, _connection)) => workload::run(&objects, &books, &pace, client).await,
                    Err(error) => client.note(format!("a client cannot begin: {error}")),
                }
            }
        });
        self.finally("the workload is served and all that it saw is right", move |client| {
            let (books, pace) = (books.clone(), pace.clone());
            async move {
                let objects = Objects::start(client.node()).await.map_err(|error| error.to_string())?;
                let silent = workload::read_all(&objects, &books, &pace, client).await;
                if !silent.is_empty() {
                    return Err(format!("after the faults these do not answer: {}", silent.join(", ")));
                }
                judge(&books.recording()).into_result()
            }
        });
    }
}

/// The objects as those have them who call the cluster without being nodes of it.
async fn outside(client: &Client) -> Result<(Arc<Objects>, crate::client::Client), BoxError> {
    let connection = client.connect().await?;
    Ok((Objects::find(&connection).await?, connection))
}
