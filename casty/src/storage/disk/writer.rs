//! The one thread that writes.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::file::StoreFile;
use super::lanes::Lanes;
use super::work::{Queued, Work};
use crate::storage::Flushed;

/// Takes the work of all groups and writes what has come together in one transaction, with one fsync. Of rows, which
/// can be many, it writes some at a time.
///
/// The queue has no bound of its own: each group bounds what it has in it. After a write that failed nothing is written
/// any more, since it is not known what the disk holds; all that waits and all that comes fails.
pub(super) struct Writer {
    file: Arc<StoreFile>,
    failed: Arc<OnceLock<Arc<io::Error>>>,
    /// `None` while it is dropped.
    queue: Option<Sender<Queued>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(file: StoreFile) -> Result<Self, io::Error> {
        let (file, failed, (queue, queued)) = (Arc::new(file), Arc::<OnceLock<_>>::default(), channel());
        let (written, told) = (file.clone(), failed.clone());
        let work = move || run(&written, &told, &queued);
        let thread = thread::Builder::new().name("casty-store".to_owned()).spawn(work)?;
        Ok(Self { file, failed, queue: Some(queue), thread: Some(thread) })
    }

    /// The file, for reading what has become durable.
    pub(super) fn file(&self) -> io::Result<&StoreFile> {
        self.check()?;
        Ok(&self.file)
    }

    /// Whether all writes so far have worked.
    pub(super) fn check(&self) -> io::Result<()> {
        self.failed.get().map_or(Ok(()), |why| Err(again(why)))
    }

    /// Waits until all is on the disk that was queued before. It blocks the thread.
    pub(super) fn wait(&self) -> io::Result<()> {
        let (tell, told) = channel();
        self.queue(Work::Barrier, Some(Box::new(move |result| drop(tell.send(result)))))?;
        told.recv().map_err(io::Error::other)?
    }

    /// Queues work. Whoever waits for it is told when it is on the disk, and all that was queued before, but for
    /// [bulk work](Work::is_bulk) that was.
    pub(super) fn queue(&self, work: Work, done: Option<Flushed>) -> io::Result<()> {
        self.check()?;
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(Queued { work, done }).is_ok());
        if sent { Ok(()) } else { Err(io::Error::other("the store's writer has ended")) }
    }
}

impl Drop for Writer {
    /// Writes what is queued, and lets go of the file.
    fn drop(&mut self) {
        self.queue = None;
        // A callback may be the last to know the store, and the writer cannot wait for itself.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // It catches the panics of the library, and callbacks have none.
            let _ = thread.join();
        }
    }
}

fn run(file: &StoreFile, failed: &OnceLock<Arc<io::Error>>, queue: &Receiver<Queued>) {
    let mut lanes = Lanes::default();
    while lanes.wait(queue) {
        let (batch, begun) = (lanes.take(), Instant::now());
        let mut more = Vec::new();
        if failed.get().is_none() {
            match file.write(batch.queued.iter().map(|queued| &queued.work)) {
                Ok(follows) => more = follows,
                Err(why) => {
                    tracing::error!(%why, "the store has failed; nothing is acknowledged any more");
                    let _ = failed.set(Arc::new(why.into()));
                }
            }
        }
        lanes.written(&batch, begun.elapsed(), more, queue);
        for queued in batch.queued {
            if let Some(done) = queued.done {
                done(failed.get().map_or(Ok(()), |why| Err(again(why))));
            }
        }
    }
}

/// The error of the first write that failed, for one more who asks.
fn again(why: &Arc<io::Error>) -> io::Error {
    io::Error::new(why.kind(), why.clone())
}
