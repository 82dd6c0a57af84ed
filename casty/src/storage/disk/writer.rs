//! The one thread that writes.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use parking_lot::{Mutex, RwLock};

use super::file::StoreFile;
use super::work::{Queued, Work};
use crate::storage::Flushed;

/// The bytes after which a transaction takes no more work: the next ones need not wait longer than for this.
const TRANSACTION_BYTES: u64 = 64 << 20;

/// Takes the work of all groups and writes what has come together in one transaction, with one fsync.
///
/// The queue has no bound of its own: each group bounds what it has in it. After a write that failed nothing is written
/// any more, since it is not known what the disk holds; all that waits and all that comes fails.
pub(super) struct Writer {
    failed: Arc<OnceLock<Arc<io::Error>>>,
    /// `None` once it is closed.
    open: RwLock<Option<Open>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Open {
    file: Arc<StoreFile>,
    queue: Sender<Queued>,
}

impl Writer {
    pub(super) fn start(file: StoreFile) -> Result<Self, io::Error> {
        let (file, failed, (queue, queued)) = (Arc::new(file), Arc::<OnceLock<_>>::default(), channel());
        let (written, told) = (file.clone(), failed.clone());
        let work = move || run(written, &told, &queued);
        let thread = thread::Builder::new().name("casty-store".to_owned()).spawn(work)?;
        let (open, thread) = (RwLock::new(Some(Open { file, queue })), Mutex::new(Some(thread)));
        Ok(Self { failed, open, thread })
    }

    /// The file, for reading what has become durable.
    pub(super) fn file(&self) -> io::Result<Arc<StoreFile>> {
        self.check()?;
        Ok(self.open.read().as_ref().ok_or_else(closed)?.file.clone())
    }

    /// Whether all writes so far have worked.
    pub(super) fn check(&self) -> io::Result<()> {
        self.failed.get().map_or(Ok(()), |why| Err(again(why)))
    }

    /// Queues work. Whoever waits for it is told when it is on the disk, and all that was queued before.
    pub(super) fn queue(&self, work: Work, done: Option<Flushed>) -> io::Result<()> {
        self.check()?;
        let open = self.open.read();
        open.as_ref().ok_or_else(closed)?.queue.send(Queued { work, done }).map_err(|_| closed())
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

/// Ends when nobody can queue anything any more; the file is closed then.
fn run(file: Arc<StoreFile>, failed: &OnceLock<Arc<io::Error>>, queue: &Receiver<Queued>) {
    while let Ok(first) = queue.recv() {
        let mut bytes = first.work.bytes();
        let mut batch = vec![first];
        while bytes < TRANSACTION_BYTES
            && let Ok(next) = queue.try_recv()
        {
            bytes += next.work.bytes();
            batch.push(next);
        }
        if failed.get().is_none()
            && let Err(why) = file.write(batch.iter().map(|queued| &queued.work))
        {
            tracing::error!(%why, "the store has failed; nothing is acknowledged any more");
            let _ = failed.set(Arc::new(why.into()));
        }
        for queued in batch {
            if let Some(done) = queued.done {
                done(failed.get().map_or(Ok(()), |why| Err(again(why))));
            }
        }
    }
}

fn closed() -> io::Error {
    io::Error::other("the store is closed")
}

/// The error of the first write that failed, for one more who asks.
fn again(why: &Arc<io::Error>) -> io::Error {
    io::Error::new(why.kind(), why.clone())
}
