//! The one thread that writes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use redb::ReadTransaction;
use tokio::sync::SetOnce;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
#[cfg(feature = "sim")]
use tokio::time::sleep;

use super::StoreError;
use super::file::StoreFile;
use super::lanes::{Batch, Lanes};
use super::rows::Generation;
#[cfg(feature = "sim")]
use super::simulated::SimulatedDisk;
use super::work::{Queued, Work};
use crate::base::GroupId;
use crate::storage::Flushed;

/// Takes the work of all groups and writes what has come together in one transaction, with one fsync. Of rows, which
/// can be many, it writes some at a time.
///
/// The queue has no bound of its own: each group bounds what it has in it. After a write that failed nothing is written
/// any more, since it is not known what the disk holds; all that waits and all that comes fails. So it is after a read that
/// failed, and after damage was seen.
pub(super) struct Writer {
    health: Arc<Health>,
    /// `None` once it is closed.
    open: RwLock<Option<Open>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The highest number that a generation of rows has.
    newest: AtomicU32,
}

/// How it is with the disk.
#[derive(Default)]
struct Health {
    /// The first write or read that failed for good, or the first damage that was seen.
    failed: SetOnce<StoreError>,
    /// There is no room on it.
    full: AtomicBool,
}

/// How often it is looked whether there is room again.
const FULL_PERIOD: Duration = Duration::from_millis(250);

struct Open {
    file: Arc<StoreFile>,
    queue: UnboundedSender<Queued>,
    /// It may rest beside its queue.
    thread: Option<Thread>,
}

impl Writer {
    /// `newest`: the highest number of a generation in the file.
    pub(super) fn start(file: StoreFile, newest: u32) -> Result<Self, io::Error> {
        let (writer, mut work) = Self::new(file, newest);
        let run = move || {
            while let Some(batch) = work.wait() {
                let begun = Instant::now();
                let follows = loop {
                    match work.write(&batch) {
                        Some(follows) => break follows,
                        None => thread::sleep(FULL_PERIOD),
                    }
                };
                work.end(batch, begun.elapsed(), follows);
            }
        };
        let thread = thread::Builder::new().name("casty-store".to_owned()).spawn(run)?;
        writer.open.write().iter_mut().for_each(|open| open.thread = Some(thread.thread().clone()));
        *writer.thread.lock() = Some(thread);
        Ok(writer)
    }

    /// The same on the runtime of the caller, where no other thread may run: a sync takes as long as the disk says.
    #[cfg(feature = "sim")]
    pub(super) fn simulate(file: StoreFile, newest: u32, disk: SimulatedDisk) -> Self {
        let (writer, mut work) = Self::new(file, newest);
        tokio::spawn(async move {
            loop {
                work.drain();
                let Some(batch) = work.lanes.take() else {
                    let Some(next) = work.queue.recv().await else { return };
                    work.lanes.push(next);
                    continue;
                };
                let follows = loop {
                    match work.write(&batch) {
                        Some(follows) => break follows,
                        None => sleep(FULL_PERIOD).await,
                    }
                };
                disk.settle().await;
                // The time that it took is not simulated: nothing may depend on it.
                work.end(batch, Duration::ZERO, follows);
            }
        });
        writer
    }

    fn new(file: StoreFile, newest: u32) -> (Self, Writing) {
        let (file, health, (sender, queue)) = (Arc::new(file), Arc::<Health>::default(), unbounded_channel());
        let work = Writing { file: file.clone(), health: health.clone(), queue, lanes: Lanes::default() };
        let open = RwLock::new(Some(Open { file, queue: sender, thread: None }));
        (Self { health, open, thread: Mutex::default(), newest: newest.into() }, work)
    }

    /// The file, for reading what has become durable.
    pub(super) fn file(&self) -> io::Result<Arc<StoreFile>> {
        self.check()?;
        Ok(self.open.read().as_ref().ok_or_else(closed)?.file.clone())
    }

    /// Reads what has become durable. A file that is opened anew since the disk was full is waited for.
    pub(super) fn read<T>(&self, read: impl Fn(&ReadTransaction) -> Result<T, redb::Error>) -> io::Result<T> {
        self.read_file(|file| file.read(&read))
    }

    /// The same, however it is read.
    pub(super) fn read_file<T>(&self, read: impl Fn(&StoreFile) -> Result<T, StoreError>) -> io::Result<T> {
        loop {
            match read(&*self.file()?) {
                Err(why) if why.passes() && self.has_thread() => thread::sleep(FULL_PERIOD),
                read => return self.trust(read),
            }
        }
    }

    /// What was read. A file that is damaged, or that the disk does not give, is not used any more.
    pub(super) fn trust<T>(&self, read: Result<T, StoreError>) -> io::Result<T> {
        match &read {
            Err(why) if !why.passes() => self.health.fail(why.clone()),
            _ => {}
        }
        Ok(read?)
    }

    /// A generation that there was not so far.
    pub(super) fn new_generation(&self, group: GroupId) -> Generation {
        // Each is a snapshot that has come, or a group that was opened for the first time: they never end.
        Generation { group, number: self.newest.fetch_add(1, Ordering::Relaxed).saturating_add(1) }
    }

    /// Whether all writes so far have worked, and nothing that was read is damaged.
    pub(super) fn check(&self) -> io::Result<()> {
        self.health.check()
    }

    /// Waits until one has not, and says why.
    pub(super) fn failure(&self) -> impl Future<Output = io::Error> + Send + 'static {
        let health = self.health.clone();
        async move { health.failed.wait().await.clone().into() }
    }

    /// Whether what is queued waits for room on the disk, or what is queued next may have to.
    pub(super) fn is_full(&self) -> bool {
        let short = || self.open.read().as_ref().is_some_and(|open| open.file.is_short_of_room());
        self.health.full.load(Ordering::Relaxed) || short()
    }

    /// Whether what can be large and can wait may be queued: it would take the room that entries and votes need.
    pub(super) fn has_room(&self) -> io::Result<()> {
        self.check()?;
        let full = || io::Error::new(io::ErrorKind::StorageFull, "there is no room on the disk of the store");
        if self.is_full() { Err(full()) } else { Ok(()) }
    }

    /// Queues work. Whoever waits for it is told when it is on the disk, and all that was queued before in its
    /// [lane](super::work::Lane).
    pub(super) fn queue(&self, work: Work, done: Option<Flushed>) -> io::Result<()> {
        self.check()?;
        let open = self.open.read();
        let open = open.as_ref().ok_or_else(closed)?;
        open.queue.send(Queued { work, done }).map_err(|_| closed())?;
        open.thread.iter().for_each(Thread::unpark);
        Ok(())
    }

    /// Waits until all is on the disk that was queued before. It blocks the thread.
    pub(super) fn wait(&self) -> io::Result<()> {
        if !self.has_thread() {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "the store is being written; try again"));
        }
        let (tell, told) = std::sync::mpsc::channel();
        self.queue(Work::Barrier, Some(Box::new(move |result| drop(tell.send(result)))))?;
        told.recv().map_err(io::Error::other)?
    }

    /// Whether to close it takes as long as another thread needs.
    pub(super) fn has_thread(&self) -> bool {
        self.thread.lock().is_some()
    }

    /// Writes what is queued, and lets go of the file.
    pub(super) fn close(&self) {
        let open = self.open.write().take();
        let resting = open.and_then(|open| open.thread);
        resting.iter().for_each(Thread::unpark);
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
    lanes: Lanes,
}

impl Writing {
    /// Waits for what is to be written next. `None`: nothing is left, and nothing comes any more.
    fn wait(&mut self) -> Option<Batch> {
        loop {
            self.drain();
            if let Some(batch) = self.lanes.take() {
                return Some(batch);
            }
            match self.lanes.rest() {
                Some(_) if self.queue.is_closed() => self.lanes.wake(),
                Some(rest) => thread::park_timeout(rest),
                None => {
                    let next = self.queue.blocking_recv()?;
                    self.lanes.push(next);
                }
            }
        }
    }

    /// Takes in what has come.
    fn drain(&mut self) {
        while let Ok(queued) = self.queue.try_recv() {
            self.lanes.push(queued);
        }
    }

    /// Writes a batch, or takes note that nothing can be written any more. Gives what has to follow; `None` if there is no
    /// room for it now.
    fn write(&self, batch: &Batch) -> Option<Vec<Work>> {
        let Health { failed, full } = &*self.health;
        if failed.get().is_some() {
            return Some(Vec::new());
        }
        // A file that could not be written is opened anew: it is as it was before the batch, or after it, and to write
        // the batch again does no harm.
        let write = || {
            if full.load(Ordering::Relaxed) {
                self.file.reopen()?;
            }
            self.file.write(batch.queued.iter().map(|queued| &queued.work))
        };
        match write() {
            Ok(follows) => {
                if full.swap(false, Ordering::Relaxed) {
                    tracing::info!("there is room on the disk of the store again");
                }
                Some(follows)
            }
            Err(why) if why.is_full() => {
                if !full.swap(true, Ordering::Relaxed) {
                    tracing::error!(%why, "there is no room on the disk of the store; nothing is acknowledged until there is");
                }
                None
            }
            Err(why) => {
                self.health.fail(why);
                full.store(false, Ordering::Relaxed);
                Some(Vec::new())
            }
        }
    }

    /// A batch was written: tells who waits for it.
    fn end(&mut self, batch: Batch, took: Duration, follows: Vec<Work>) {
        self.drain();
        self.lanes.written(&batch, took, follows);
        for queued in batch.queued {
            if let Some(done) = queued.done {
                done(self.health.check());
            }
        }
    }
}

impl Health {
    fn check(&self) -> io::Result<()> {
        self.failed.get().map_or(Ok(()), |why| Err(why.clone().into()))
    }

    fn fail(&self, why: StoreError) {
        // Who comes second has the same trouble.
        if self.failed.set(why.clone()).is_ok() {
            tracing::error!(%why, "the store has failed; nothing is acknowledged any more");
        }
    }
}

fn closed() -> io::Error {
    io::Error::other("the store is closed")
}
