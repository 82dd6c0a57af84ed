//! Everything that a node keeps, in one file. No file outside this folder names redb, which writes it.

mod changes;
mod checksum;
mod copies;
mod error;
mod file;
mod identity;
mod lanes;
mod lock;
mod log;
mod moments;
mod room;
mod rows;
mod salvage;
mod settings;
#[cfg(feature = "sim")]
mod simulated;
mod snapshots;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod unsynced;
mod work;
mod writer;

use std::future::ready;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use redb::ReadTransaction;
use tokio::task::spawn_blocking;

use super::{BackupError, Flushed, LogStore, StateStore, Stores};
use crate::base::{GroupId, StableMap};
use file::StoreFile;
use log::DiskLog;
use rows::Generation;
use work::Work;
use writer::Writer;

pub use error::StoreError;
pub use identity::Identity;
pub(crate) use salvage::{Salvage, StoredGroup};
pub use settings::{DiskSettings, Fsync};
#[cfg(feature = "sim")]
pub(crate) use simulated::SimulatedDisk;

/// Everything that a node keeps, in one file of a folder that belongs to one process at a time.
///
/// Logs, votes and snapshots are durable once they are said to be. The rows of a table are in the file as the group's last
/// snapshot has them; in memory are those that have changed since, and a [cache](DiskSettings::cache_bytes).
///
/// After a read or write that failed, every call fails with an error that names the file, until it is opened anew, and
/// [`Stores::failure`] says so. So it does once a value that is read is not the one that was written, which a checksum tells:
/// no wrong value is given to anybody. A full disk is no failure: what is to be written waits until there is room again, and
/// [`Stores::is_full`] says so.
///
/// When it is [closed](Stores::close), or when the last handle goes, so of the store as of the logs that it gave, what is
/// queued is written and the folder is free.
///
/// ```
/// use casty::storage::{DiskStores, Identity};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let identity = Identity { node: "node-1".into(), cluster: "shop".to_owned() };
/// let stores = DiskStores::open(folder, &identity)?;
/// // A second process would get this error, too.
/// let Err(refused) = DiskStores::open(folder, &identity) else { panic!("opened twice") };
/// assert!(refused.to_string().contains("is in use by"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DiskStores {
    writer: Arc<Writer>,
    /// The logs that were asked for: one each, since the file may be behind them.
    logs: Mutex<StableMap<GroupId, Arc<DiskLog>>>,
    record: Mutex<Option<Bytes>>,
    lost: bool,
}

impl DiskStores {
    /// Opens what `identity` keeps in a folder, or begins it. It reads a disk, and for long if the file was not closed
    /// in order and is large: not for a thread that others wait for.
    pub fn open(folder: impl AsRef<Path>, identity: &Identity) -> Result<Self, StoreError> {
        Self::open_with(folder, identity, &DiskSettings::default())
    }

    /// The same, with settings.
    pub fn open_with(
        folder: impl AsRef<Path>,
        identity: &Identity,
        settings: &DiskSettings,
    ) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        let stores = Self::start(folder, StoreFile::open(folder, identity, settings)?)?;
        let io = |why: io::Error| StoreError::Io { file: folder.to_owned(), why: why.into() };
        let lost = stores.record.lock().is_none() && unsynced::has_given_up(folder).map_err(io)?;
        Ok(Self { lost, ..stores })
    }

    fn start(folder: &Path, file: StoreFile) -> Result<Self, StoreError> {
        let found = file.read(Found::read)?;
        let io = |why: io::Error| StoreError::Io { file: folder.to_owned(), why: why.into() };
        Self::with(Writer::start(file, found.newest).map_err(io)?, found).map_err(io)
    }

    #[cfg(feature = "sim")]
    fn simulate(file: StoreFile, disk: SimulatedDisk) -> Result<Self, StoreError> {
        let found = file.read(Found::read)?;
        let io = |why: io::Error| StoreError::Io { file: "simulated".into(), why: why.into() };
        Self::with(Writer::simulate(file, found.newest, disk), found).map_err(io)
    }

    fn with(writer: Writer, found: Found) -> io::Result<Self> {
        for generation in found.stale {
            writer.queue(Work::Sweep(generation), None)?;
        }
        Ok(Self { writer: Arc::new(writer), logs: Mutex::default(), record: Mutex::new(found.record), lost: false })
    }
}

/// What a file has when it is opened, but for what is a group's.
struct Found {
    record: Option<Bytes>,
    /// Rows that are to be removed.
    stale: Vec<Generation>,
    /// The highest number of a generation.
    newest: u32,
}

impl Found {
    fn read(read: &ReadTransaction) -> Result<Self, redb::Error> {
        tables::check_groups(read)?;
        Ok(Self {
            record: tables::read_record(read)?,
            stale: tables::stale(read, rows::ALL)?,
            newest: tables::newest_generation(read)?,
        })
    }
}

impl DiskStores {
    fn disk_log(&self, group: GroupId) -> io::Result<Arc<DiskLog>> {
        let mut logs = self.logs.lock();
        if let Some(log) = logs.get(&group) {
            return Ok(log.clone());
        }
        let log = Arc::new(DiskLog::load(group, self.writer.clone())?);
        logs.insert(group, log.clone());
        Ok(log)
    }
}

impl Stores for DiskStores {
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        Ok(self.disk_log(group)?)
    }

    fn state(&self, group: GroupId) -> io::Result<Box<dyn StateStore>> {
        Ok(Box::new(self.disk_log(group)?.table()?))
    }

    fn groups(&self) -> io::Result<Vec<GroupId>> {
        self.writer.read(tables::read_groups)
    }

    fn forget(&self, group: GroupId, done: Flushed) -> io::Result<()> {
        let mut logs = self.logs.lock();
        logs.remove(&group).iter().for_each(|log| log.retire());
        self.writer.queue(Work::Forget(group), Some(done))
    }

    fn is_full(&self) -> bool {
        self.writer.is_full()
    }

    fn failure(&self) -> BoxFuture<'static, io::Error> {
        self.writer.failure().boxed()
    }

    fn record(&self) -> io::Result<Option<Bytes>> {
        self.writer.check()?;
        Ok(self.record.lock().clone())
    }

    fn back_up(&self, folder: PathBuf) -> BoxFuture<'static, Result<(), BackupError>> {
        let file = self.writer.file();
        let copied = spawn_blocking(move || Ok(file?.back_up(&folder)?));
        copied.map(|copied| copied.unwrap_or_else(|ended| Err(BackupError::Io(io::Error::other(ended))))).boxed()
    }

    fn has_lost(&self) -> bool {
        self.lost
    }

    fn save_record(&self, record: Bytes, done: Flushed) -> io::Result<()> {
        let mut saved = self.record.lock();
        self.writer.queue(Work::Record(record.clone()), Some(done))?;
        *saved = Some(record);
        Ok(())
    }

    fn clear(&self, done: Flushed) -> io::Result<()> {
        let (mut logs, mut saved) = (self.logs.lock(), self.record.lock());
        logs.drain().for_each(|(_, log)| log.retire());
        self.writer.queue(Work::Clear, Some(done))?;
        *saved = None;
        Ok(())
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        if !self.writer.has_thread() {
            self.writer.close();
            return ready(()).boxed();
        }
        let writer = self.writer.clone();
        // It fails only when the runtime ends, and then the store goes with its last handle.
        spawn_blocking(move || writer.close()).map(drop).boxed()
    }
}
