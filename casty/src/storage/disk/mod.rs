//! Everything that a node keeps, in one file. No file outside this folder names redb, which writes it.

mod error;
mod file;
mod identity;
mod lanes;
mod lock;
mod log;
mod rows;
mod settings;
mod snapshots;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod work;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Flushed, LogStore, StateStore, Stores};
use crate::base::{GroupId, StableMap};
use file::StoreFile;
use log::DiskLog;
use work::Work;
use writer::Writer;

pub use error::StoreError;
pub use identity::Identity;
pub use settings::DiskSettings;

/// Everything that a node keeps, in one file of a folder that belongs to one process at a time.
///
/// Logs, votes and snapshots are durable once they are said to be. The rows of a table are in the file as the group's last
/// snapshot has them; in memory are those that have changed since, and a [cache](DiskSettings::cache_bytes). After a
/// write that failed, every call fails with an error that names the file, until it is opened anew.
///
/// When the last handle goes, so of the store as of the logs that it gave, what is queued is written and the folder is
/// free.
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
        Self::start(folder, StoreFile::open(folder, identity, settings)?)
    }

    fn start(folder: &Path, file: StoreFile) -> Result<Self, StoreError> {
        let record = file.read(tables::read_record)?;
        let io = |why: io::Error| StoreError::Io { file: folder.to_owned(), why: why.into() };
        let stale = file.read(tables::stale)?;
        let writer = Arc::new(Writer::start(file).map_err(io)?);
        for generation in stale {
            writer.queue(Work::Sweep(generation), None).map_err(io)?;
        }
        Ok(Self { writer, logs: Mutex::default(), record: Mutex::new(record) })
    }

    /// What the node last saved of itself.
    pub fn record(&self) -> io::Result<Option<Bytes>> {
        self.writer.check()?;
        Ok(self.record.lock().clone())
    }

    /// Replaces what the node keeps of itself: bytes that the store does not look into.
    pub fn save_record(&self, record: Bytes, done: Flushed) -> io::Result<()> {
        let mut saved = self.record.lock();
        self.writer.queue(Work::Record(record.clone()), Some(done))?;
        *saved = Some(record);
        Ok(())
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
}
