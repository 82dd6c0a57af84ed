//! What a small change of a large entity costs.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use casty::GroupId;
use casty::prelude::*;
use casty::storage::{
    Flushed, LogBounds, LogEntry, LogPosition, LogStore, MemoryLog, MemoryStores, Payload, StateStore, Stores, Vote,
};
use casty_tests::cluster::Cluster;

/// Each of them has a log of its own.
const NODES: usize = 3;

/// How large the large field is.
const PICTURE_BYTES: usize = 1 << 20;

/// What a write of the counter beside it may put into the log.
const LOGGED_BYTES_MAX: usize = 1024;

/// A picture, and how often it was looked at.
#[persistent]
struct Picture {
    pixels: Vec<u8>,
    looks: u64,
}

#[actor(name = "state.Picture")]
impl Picture {
    fn new(_: EntityId) -> Self {
        Self { pixels: Vec::new(), looks: 0 }
    }

    #[message]
    fn paint(&mut self, color: u8) {
        self.pixels = vec![color; PICTURE_BYTES];
    }

    #[message]
    fn look(&mut self) -> u64 {
        self.looks += 1;
        self.looks
    }

    #[message]
    fn size(&self) -> usize {
        self.pixels.iter().filter(|pixel| **pixel == 7).count()
    }
}

/// Stores that count the bytes of the commands in all logs of data groups.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

struct CountedLog {
    log: MemoryLog,
    logged: Arc<AtomicUsize>,
}

impl Stores for Counted {
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        match group {
            GroupId::META => MemoryStores.log(group),
            _ => Ok(Arc::new(CountedLog { log: MemoryLog::new(), logged: self.0.clone() })),
        }
    }

    fn state(&self, group: GroupId) -> io::Result<Box<dyn StateStore>> {
        MemoryStores.state(group)
    }
}

impl LogStore for CountedLog {
    fn bounds(&self) -> io::Result<LogBounds> {
        self.log.bounds()
    }

    fn append(&self, entries: Vec<LogEntry>, done: Flushed) -> io::Result<()> {
        let bytes = |entry: &LogEntry| match &entry.payload {
            Payload::Command(bytes) => bytes.len(),
            Payload::Blank | Payload::Membership(_) => 0,
        };
        self.logged.fetch_add(entries.iter().map(bytes).sum(), Ordering::Relaxed);
        self.log.append(entries, done)
    }

    fn read(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<LogEntry>> {
        self.log.read(range, bytes_max)
    }

    fn truncate_after(&self, index: Option<u64>) -> io::Result<()> {
        self.log.truncate_after(index)
    }

    fn purge(&self, through: LogPosition) -> io::Result<()> {
        self.log.purge(through)
    }

    fn save_vote(&self, vote: Vote, done: Flushed) -> io::Result<()> {
        self.log.save_vote(vote, done)
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        self.log.vote()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_beside_a_large_field_logs_less_than_a_kilobyte_a_write() {
    const LOOKS: usize = 100;
    let stores = Counted::default();
    let cluster = Cluster::start_with(NODES, |config| config.stores(Arc::new(stores.clone()))).await;
    let pictures = &cluster.sharded::<Picture>("picture").await[0];
    let picture = pictures.entity("mona lisa");
    picture.paint(7).await.unwrap();
    cluster.quiet().await;
    let before = stores.0.load(Ordering::Relaxed);
    assert!(before > NODES * PICTURE_BYTES, "{before} bytes were logged for the picture");
    for look in 1..=LOOKS {
        assert_eq!(picture.look().await.unwrap(), look as u64);
    }
    cluster.quiet().await;
    let logged = (stores.0.load(Ordering::Relaxed) - before) / (LOOKS * NODES);
    println!("{logged} bytes a write");
    assert!(logged < LOGGED_BYTES_MAX, "{logged} bytes a write");
    assert_eq!(picture.size().await.unwrap(), PICTURE_BYTES);
}
