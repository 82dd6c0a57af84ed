//! The one thread that writes.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
#[cfg(feature = "sim")]
use tokio::time::sleep;

use super::file::StoreFile;
#[cfg(feature = "sim")]
use super::simulated::SimulatedDisk;
use super::work::{Queued, Work};
use crate::storage::Flushed;

/// The bytes after which a transaction takes no more work: the next ones need not wait longer than for this.
const TRANSACTION_BYTES: u64 = 64 << 20;

/// Takes the work of all groups and writes what has come together in one transaction, with one fsync.
///
/// The queue has no bound of its own: each group bounds what it has in it. After a write that failed nothing is written
/// any more, since it is not known what the disk holds; all that waits and all that comes fails.
pub(super) struct Writer {
    health: Arc<Health>,
    /// `None` once it is closed.
    open: RwLock<Option<Open>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How it is with the disk.
#[derive(Default)]
struct Health {
    /// The first write that failed for good.
    failed: OnceLock<Arc<io::Error>>,
    /// There is no room on it.
    full: AtomicBool,
}

/// How often it is looked whether there is room again.
const FULL_PERIOD: Duration = Duration::from_millis(250);

struct Open {
    file: Arc<StoreFile>,
    queue: UnboundedSender<Queued>,
}

impl Writer {
    pub(super) fn start(file: StoreFile) -> Result<Self, io::Error> {
        let (writer, mut work) = Self::new(file);
        let run = move || {
            while let Some(first) = work.queue.blocking_recv() {
                let batch = work.batch(first);
                while !work.write(&batch) {
                    thread::sleep(FULL_PERIOD);
                }
                work.tell(batch);
            }
        };
        let thread = thread::Builder::new().name("casty-store".to_owned()).spawn(run)?;
        *writer.thread.lock() = Some(thread);
        Ok(writer)
    }

    /// The same on the runtime of the caller, where no other thread may run: a sync takes as long as the disk says.
    #[cfg(feature = "sim")]
    pub(super) fn simulate(file: StoreFile, disk: SimulatedDisk) -> Self {
        let (writer, mut work) = Self::new(file);
        tokio::spawn(async move {
            while let Some(first) = work.queue.recv().await {
                let batch = work.batch(first);
                while !work.write(&batch) {
                    sleep(FULL_PERIOD).await;
                }
                disk.settle().await;
                work.tell(batch);
            }
        });
        writer
    }

    fn new(file: StoreFile) -> (Self, Writing) {
        let (file, health, (sender, queue)) = (Arc::new(file), Arc::<Health>::default(), unbounded_channel());
        let work = Writing { file: file.clone(), health: health.clone(), queue };
        let open = RwLock::new(Some(Open { file, queue: sender }));
        (Self { health, open, thread: Mutex::default() }, work)
    }

    /// The file, for reading what has become durable.
    pub(super) fn file(&self) -> io::Result<Arc<StoreFile>> {
        self.check()?;
        Ok(self.open.read().as_ref().ok_or_else(closed)?.file.clone())
    }

    /// Whether all writes so far have worked.
    pub(super) fn check(&self) -> io::Result<()> {
        self.health.check()
    }

    /// Whether what is queued waits for room on the disk, or what is queued next may have to.
    pub(super) fn is_full(&self) -> bool {
        let short = || self.open.read().as_ref().is_some_and(|open| open.file.is_short_of_room());
        self.health.full.load(Ordering::Relaxed) || short()
    }

    /// Queues work. Whoever waits for it is told when it is on the disk, and all that was queued before.
    pub(super) fn queue(&self, work: Work, done: Option<Flushed>) -> io::Result<()> {
        self.check()?;
        let open = self.open.read();
        open.as_ref().ok_or_else(closed)?.queue.send(Queued { work, done }).map_err(|_| closed())
    }

    /// Whether to close it takes as long as another thread needs.
    pub(super) fn has_thread(&self) -> bool {
        self.thread.lock().is_some()
    }

    /// Writes what is queued, and lets go of the file.
    pub(super) fn close(&self) {
        *self.open.write() = None;
        let thread = self.thread.lock().take();
        // A callback may be the last to know the store, and the writer cannot wait for itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // It catches the panics of the library, and callbacks have none.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the writer has to do. It ends when nobody can queue anything any more; the file is closed then.
struct Writing {
    file: Arc<StoreFile>,
    health: Arc<Health>,
    queue: UnboundedReceiver<Queued>,
}

impl Writing {
    /// All that has come together.
    fn batch(&mut self, first: Queued) -> Vec<Queued> {
        let mut bytes = first.work.bytes();
        let mut batch = vec![first];
        while bytes < TRANSACTION_BYTES
            && let Ok(next) = self.queue.try_recv()
        {
            bytes += next.work.bytes();
            batch.push(next);
        }
        batch
    }

    /// Writes a batch, or takes note that nothing can be written any more. False if there is no room for it now.
    fn write(&self, batch: &[Queued]) -> bool {
        let Health { failed, full } = &*self.health;
        if failed.get().is_some() {
            return true;
        }
        // A file that could not be written is opened anew: it is as it was before the batch, or after it, and to write
        // the batch again does no harm.
        let write = || {
            if full.load(Ordering::Relaxed) {
                self.file.reopen()?;
            }
            self.file.write(batch.iter().map(|queued| &queued.work))
        };
        match write() {
            Ok(()) => {
                if full.swap(false, Ordering::Relaxed) {
                    tracing::info!("there is room on the disk of the store again");
                }
            }
            Err(why) if why.is_full() => {
                if !full.swap(true, Ordering::Relaxed) {
                    tracing::error!(%why, "there is no room on the disk of the store; nothing is acknowledged until there is");
                }
                return false;
            }
            Err(why) => {
                tracing::error!(%why, "the store has failed; nothing is acknowledged any more");
                let _ = failed.set(Arc::new(why.into()));
                full.store(false, Ordering::Relaxed);
            }
        }
        true
    }

    fn tell(&self, batch: Vec<Queued>) {
        for queued in batch {
            if let Some(done) = queued.done {
                done(self.health.check());
            }
        }
    }
}

impl Health {
    fn check(&self) -> io::Result<()> {
        self.failed.get().map_or(Ok(()), |why| Err(again(why)))
    }
}

fn closed() -> io::Error {
    io::Error::other("the store is closed")
}

/// The error of the first write that failed, for one more who asks.
fn again(why: &Arc<io::Error>) -> io::Error {
    io::Error::new(why.kind(), why.clone())
}
