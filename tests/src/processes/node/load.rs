//! The clients of a node, and the file in which they write down what they see before they go on.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use casty::base::BoxError;
use casty::prelude::*;
use casty::testkit::workload::{Books, Entry, Notes, Objects, Pace, Surroundings, read_all, run};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::Options;
use crate::processes::Clock;

/// How often the running time is counted.
const TICK: Duration = Duration::from_millis(5);

/// The number of the client that has the last look. Numbers of clients have this many below each life of a node.
const LAST_CLIENT: u64 = 0xff;

/// The clients of one life of a node.
pub(super) struct Load {
    objects: Arc<Objects>,
    /// The same, as those have them who are no nodes.
    from_outside: Arc<Objects>,
    _outside: casty::Client,
    books: Books,
    pace: Pace,
    place: Place,
    running: AsyncMutex<JoinSet<()>>,
    ticks: AbortHandle,
}

/// One client.
struct Client {
    number: u64,
    place: Place,
    rng: StdRng,
}

/// Where and when the clients run.
#[derive(Clone)]
struct Place {
    first_number: u64,
    clock: Clock,
    goes_on: Arc<AtomicBool>,
    ran_us: Arc<AtomicU64>,
}

impl Load {
    /// Starts the entity types, and no clients yet.
    pub(super) async fn prepare(options: &Options, node: &Node) -> Result<Self, BoxError> {
        let objects = Objects::start(node).await?;
        let outside = casty::Client::connect(options.client()).await?;
        let from_outside = Objects::find(&outside).await?;
        let books = match &options.history {
            None => Books::new(),
            Some(path) => {
                let file = Mutex::new(File::create(path)?);
                Books::journaled(move |entry| write_down(&file, &entry))
            }
        };
        let ran_us = Arc::new(AtomicU64::new(0));
        let place = Place {
            first_number: options.first_client(),
            clock: Clock::from_origin_us(options.origin_us),
            goes_on: Arc::new(AtomicBool::new(true)),
            ran_us: ran_us.clone(),
        };
        let ticks = tokio::spawn(count(ran_us)).abort_handle();
        Ok(Self {
            objects,
            from_outside,
            _outside: outside,
            books,
            pace: Pace::default(),
            place,
            running: AsyncMutex::default(),
            ticks,
        })
    }

    /// Starts so many clients. Every other one calls by way of the node, and those between them from outside.
    pub(super) async fn begin(&self, clients: u64) {
        let mut running = self.running.lock().await;
        for number in 0..clients.min(LAST_CLIENT) {
            let objects = if number.is_multiple_of(2) { &self.objects } else { &self.from_outside };
            let (objects, books, pace) = (objects.clone(), self.books.clone(), self.pace.clone());
            let client = self.place.client(number);
            running.spawn(async move { run(&objects, &books, &pace, client).await });
        }
    }

    /// Has the clients finish what they have begun, and waits for them.
    pub(super) async fn finish(&self) -> Notes {
        self.place.goes_on.store(false, Ordering::Relaxed);
        let mut running = self.running.lock().await;
        while running.join_next().await.is_some() {}
        self.books.recording().notes
    }

    /// Reads every object. Gives the ids of those that did not answer.
    pub(super) async fn last_look(&self) -> Vec<String> {
        read_all(&self.objects, &self.books, &self.pace, self.place.client(LAST_CLIENT)).await
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ticks.abort();
    }
}

impl Place {
    fn client(&self, number: u64) -> Client {
        let number = self.first_number + number;
        Client { number, place: self.clone(), rng: StdRng::seed_from_u64(number) }
    }
}

impl Surroundings for Client {
    fn number(&self) -> u64 {
        self.number
    }

    fn now(&self) -> Duration {
        self.place.clock.now()
    }

    fn ran(&self) -> Duration {
        Duration::from_micros(self.place.ran_us.load(Ordering::Relaxed))
    }

    fn random(&mut self, range: Range<u64>) -> u64 {
        self.rng.random_range(range)
    }

    fn goes_on(&self) -> bool {
        self.place.goes_on.load(Ordering::Relaxed)
    }
}

/// Counts how long this process has run. While it stands still it counts no more than a few ticks.
async fn count(ran_us: Arc<AtomicU64>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = tokio::time::Instant::now();
        let passed = (now - last).min(TICK * 2);
        last = now;
        ran_us.fetch_add(passed.as_micros() as u64, Ordering::Relaxed);
    }
}

/// Writes a line at once: what the kernel has taken survives the process.
fn write_down(file: &Mutex<File>, entry: &Entry) {
    let Ok(mut line) = serde_json::to_vec(entry) else { return };
    line.push(b'\n');
    if let Err(error) = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line) {
        tracing::error!(%error, "the history cannot be written: this run proves nothing");
    }
}
