//! A file that is not synced at every commit, and how it is told whether that cost anything.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

use parking_lot::{Condvar, Mutex};
use redb::StorageBackend;
use redb::backends::FileBackend;

use super::file::{FILE, sync_folder};
use super::settings::Fsync;

/// It is there while the file may lack a sync, and holds the number of the machine's start under which that is so.
pub(super) const MARK: &str = "unsynced";

/// A mark that is being written.
const NEW_MARK: &str = "unsynced.new";

/// Files that were given up are renamed to this, and numbered.
pub(super) const GIVEN_UP: &str = "casty.redb.given-up";

/// A mark in the folder of a file that is not synced at every commit. It goes when the file was closed, and synced.
#[derive(Debug)]
pub(super) struct Mark {
    folder: PathBuf,
    failed: Failed,
}

/// A sync has failed. The system may have dropped what it could not write, and a later sync would not say so.
pub(super) type Failed = Arc<AtomicBool>;

impl Mark {
    pub(super) fn set(folder: &Path) -> io::Result<Self> {
        let new = folder.join(NEW_MARK);
        let mut mark = File::create(&new)?;
        mark.write_all(boot().unwrap_or_default().as_bytes())?;
        mark.sync_all()?;
        fs::rename(new, folder.join(MARK))?;
        sync_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), failed: Failed::default() })
    }

    /// What the syncs of the file say.
    pub(super) fn failed(&self) -> Failed {
        self.failed.clone()
    }

    fn lift(&self) -> io::Result<()> {
        if self.failed.load(Ordering::Acquire) {
            // No start of the machine has this name: whoever opens the folder next gives the file up.
            return fs::write(self.folder.join(MARK), "a sync failed");
        }
        // Whichever handle has written: the system syncs all of a file.
        OpenOptions::new().write(true).open(self.folder.join(FILE))?.sync_all()?;
        fs::remove_file(self.folder.join(MARK))?;
        sync_folder(&self.folder)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if let Err(error) = self.lift() {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "what was written could not be synced; it is given up if the machine stops");
        }
    }
}

/// Makes the file of a folder one that can be read: what an earlier process left unsynced is synced if the machine has run
/// on since; otherwise it is renamed. Gives the new name.
pub(super) fn review(folder: &Path) -> io::Result<Option<PathBuf>> {
    let Some(under) = marked_under(folder)? else { return Ok(None) };
    let file = folder.join(FILE);
    let given_up = if is_over(&under) && file.exists() {
        let to = (1_u32..).map(|number| folder.join(format!("{GIVEN_UP}-{number}"))).find(|to| !to.exists());
        let to = to.ok_or(io::ErrorKind::AlreadyExists)?;
        fs::rename(&file, &to)?;
        sync_folder(folder)?;
        Some(to)
    } else {
        if file.exists() {
            OpenOptions::new().write(true).open(&file)?.sync_all()?;
        }
        None
    };
    fs::remove_file(folder.join(MARK))?;
    sync_folder(folder)?;
    Ok(given_up)
}

/// Whether the machine has stopped since the file of a folder was written, and not synced.
pub(super) fn is_doubtful(folder: &Path) -> io::Result<bool> {
    Ok(marked_under(folder)?.is_some_and(|under| is_over(&under)))
}

/// What the mark in a folder says, if there is one.
fn marked_under(folder: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(folder.join(MARK)) {
        Ok(under) => Ok(Some(under)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the machine has stopped since that start, as far as it can be known.
fn is_over(under: &str) -> bool {
    boot().is_none_or(|boot| boot != under)
}

/// Whether a file was ever given up in this folder.
pub(super) fn has_given_up(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if entry?.file_name().to_string_lossy().starts_with(GIVEN_UP) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What tells one start of the machine from another, where the system says it.
fn boot() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(boot.trim().to_owned())
}

/// A file whose syncs wait, or never come.
#[derive(Debug)]
pub(super) struct UnsyncedFile {
    inner: FileBackend,
    later: Option<Arc<Later>>,
}

/// The syncs that wait.
#[derive(Debug)]
pub(super) struct Later {
    file: File,
    due: Mutex<Due>,
    changed: Condvar,
    failed: Failed,
}

#[derive(Debug, Default)]
struct Due {
    written: bool,
    ended: bool,
    /// A sync failed: what was written before may be lost though the machine runs on.
    failed: Option<io::ErrorKind>,
}

impl UnsyncedFile {
    /// The file, which is synced in time, or not at all.
    pub(super) fn new(file: File, fsync: Fsync, failed: Failed) -> Result<Self, redb::DatabaseError> {
        let later = match fsync {
            Fsync::Interval(period) => Some(Later::start(file.try_clone()?, period, failed)?),
            Fsync::EveryCommit | Fsync::Never => None,
        };
        Ok(Self { inner: FileBackend::new(file)?, later })
    }
}

impl Later {
    pub(super) fn start(file: File, period: Duration, failed: Failed) -> io::Result<Arc<Self>> {
        let later = Arc::new(Self { file, due: Mutex::default(), changed: Condvar::new(), failed });
        let syncing = later.clone();
        thread::Builder::new().name("casty-sync".to_owned()).spawn(move || syncing.run(period))?;
        Ok(later)
    }

    fn run(&self, period: Duration) {
        loop {
            let mut due = self.due.lock();
            self.changed.wait_while(&mut due, |due| !due.written && !due.ended);
            if !due.ended {
                self.changed.wait_while_for(&mut due, |due| !due.ended, period);
            }
            if due.ended {
                return;
            }
            due.written = false;
            drop(due);
            if let Err(error) = self.file.sync_data() {
                self.failed.store(true, Ordering::Release);
                self.due.lock().failed = Some(error.kind());
                return;
            }
        }
    }

    /// Something was written that is to be synced in time.
    pub(super) fn wish(&self) -> io::Result<()> {
        let mut due = self.due.lock();
        if let Some(kind) = due.failed {
            return Err(io::Error::new(kind, "what was written before could not be synced"));
        }
        due.written = true;
        self.changed.notify_one();
        Ok(())
    }
}

impl StorageBackend for UnsyncedFile {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.inner.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.later.as_ref().map_or(Ok(()), |later| later.wish())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        if let Some(later) = &self.later {
            later.due.lock().ended = true;
            later.changed.notify_one();
        }
        self.inner.close()
    }
}
