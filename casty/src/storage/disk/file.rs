//! The file of a node.

use std::fs::OpenOptions;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use redb::backends::FileBackend;
use redb::{Builder, Database, ReadTransaction, ReadableDatabase, StorageBackend};

use super::changes::Tables;
use super::lock::FolderLock;
use super::moments::Moments;
use super::room::Room;
use super::tables::{self, FORMAT, Owner};
use super::unsynced::{self, Mark, UnsyncedFile};
use super::work::Work;
use super::{DiskSettings, Fsync, Identity, StoreError};

pub(super) const FILE: &str = "casty.redb";

/// The open file.
pub(super) struct StoreFile {
    path: PathBuf,
    // Dropped first: the folder is free when the file is closed. `None` while it is opened anew, or if that failed.
    database: RwLock<Option<Database>>,
    open: Box<dyn Fn() -> Result<Database, redb::Error> + Send + Sync>,
    /// `None` where the disk is no disk.
    room: Option<Room>,
    moments: Moments,
    /// The file is not synced at every commit.
    _mark: Option<Mark>,
    _lock: Option<FolderLock>,
}

impl StoreFile {
    pub(super) fn open(folder: &Path, identity: &Identity, settings: &DiskSettings) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let io = |why: io::Error| StoreError::Io { file: folder.to_owned(), why: why.into() };
        std::fs::create_dir_all(folder).map_err(io)?;
        let lock = FolderLock::take(folder)?;
        let given_up = unsynced::review(folder).map_err(io)?;
        if let Some(given_up) = given_up {
            let file = given_up.display();
            tracing::warn!(%file, "the machine stopped before this file was synced: what it holds is given up");
        }
        let new = !path.exists();
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        open().map_err(io)?;
        if new {
            sync_folder(folder).map_err(io)?;
        }
        let open = move || OpenOptions::new().read(true).write(true).open(&path);
        if settings.fsync == Fsync::EveryCommit {
            return Self::open_on(folder, identity, settings, Some(lock), move || FileBackend::new(open()?));
        }
        let (mark, fsync) = (Mark::set(folder).map_err(io)?, settings.fsync);
        let failed = mark.failed();
        let backend = move || UnsyncedFile::new(open()?, fsync, failed.clone());
        let store = Self::open_on(folder, identity, settings, Some(lock), backend)?;
        Ok(Self { _mark: Some(mark), ..store })
    }

    /// Opens it with another way to reach the disk.
    pub(super) fn open_on<B: StorageBackend>(
        folder: &Path,
        identity: &Identity,
        settings: &DiskSettings,
        lock: Option<FolderLock>,
        backend: impl Fn() -> Result<B, redb::DatabaseError> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let cache_bytes = settings.cache_bytes;
        let open = move || Ok(Database::builder().set_cache_size(cache_bytes).create_with_backend(backend()?)?);
        let (database, owner) = guarded(&path, || {
            let database = open()?;
            let owner = tables::read_owner(&database.begin_read()?)?;
            Ok((database, owner))
        })?;
        let room = lock.is_some().then(|| Room::in_folder(folder.to_owned()));
        let store = Self {
            path,
            database: RwLock::new(Some(database)),
            open: Box::new(open),
            room,
            moments: Moments::default(),
            _mark: None,
            _lock: lock,
        };
        match owner {
            Owner::Nobody => store.guarded(|database| {
                let write = database.begin_write()?;
                tables::lay_out(&write, identity)?;
                Ok(write.commit()?)
            })?,
            Owner::Unknown(stored) => return Err(StoreError::Format { file: store.path, stored, known: FORMAT }),
            Owner::Node(owner) => identity.check(&owner, &store.path)?,
        }
        Ok(store)
    }

    /// Opens the file of whichever node, which stays as it is. One that was given up may be damaged anywhere, and is
    /// looked through.
    pub(super) fn salvage(path: PathBuf, lock: Option<FolderLock>) -> Result<(Self, Identity), StoreError> {
        let open = {
            let path = path.clone();
            move || {
                let file = OpenOptions::new().read(true).write(true).open(&path)?;
                let mut database = builder().create_with_backend(FileBackend::new(file)?)?;
                database.check_integrity()?;
                Ok(database)
            }
        };
        let (database, owner) = guarded(&path, || {
            let database = open()?;
            let owner = tables::read_owner(&database.begin_read()?)?;
            Ok((database, owner))
        })?;
        let store = Self {
            path,
            database: RwLock::new(Some(database)),
            open: Box::new(open),
            room: None,
            moments: Moments::default(),
            _mark: None,
            _lock: lock,
        };
        match owner {
            Owner::Node(identity) => Ok((store, identity)),
            Owner::Unknown(stored) => Err(StoreError::Format { file: store.path, stored, known: FORMAT }),
            Owner::Nobody => {
                Err(StoreError::Corrupted { file: store.path, why: "nothing was ever stored in it".to_owned() })
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The moments of it that are being read.
    pub(super) fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Hands the file to who copies into it.
    pub(super) fn copy_in(&self, copy: impl FnOnce(&Database) -> Result<(), redb::Error>) -> Result<(), redb::Error> {
        let database = self.database.read();
        let closed = || redb::Error::Io(io::Error::other("it is closed"));
        copy(database.as_ref().ok_or_else(closed)?)
    }

    /// Whether there is so little room on the disk that nothing new should be taken.
    pub(super) fn is_short_of_room(&self) -> bool {
        self.room.as_ref().is_some_and(Room::is_short)
    }

    /// Opens the file anew after a write that failed: it has what was written before.
    pub(super) fn reopen(&self) -> Result<(), StoreError> {
        let mut database = self.database.write();
        // The library opens a file once.
        *database = None;
        *database = Some(guarded(&self.path, &self.open)?);
        Ok(())
    }

    /// Reads what has become durable.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.guarded(|database| read(&database.begin_read()?))
    }

    /// Reads a moment of the file: what `begin` sees is what `read` sees, and the file stands still until `begin` has ended.
    pub(super) fn read_moment<M, T>(
        &self,
        begin: impl FnOnce(&ReadTransaction) -> Result<M, redb::Error>,
        read: impl FnOnce(&ReadTransaction, M) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let still = self.moments.stand_still();
        self.read(|transaction| {
            let begun = begin(transaction)?;
            drop(still);
            read(transaction, begun)
        })
    }

    /// Carries out all work or none of it. When this returns, it is on the disk. What has to follow is returned.
    pub(super) fn write<'a>(&self, work: impl Iterator<Item = &'a Work>) -> Result<Vec<Work>, StoreError> {
        let _still = self.moments.stand_still();
        self.guarded(|database| {
            let write = database.begin_write()?;
            let mut tables = Tables::open(&write, &self.moments)?;
            let mut follows = Vec::new();
            for work in work {
                follows.extend(tables.carry_out(work)?);
            }
            drop(tables);
            write.commit()?;
            Ok(follows)
        })
    }

    /// A call of the library.
    pub(super) fn guarded<T>(&self, call: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let database = self.database.read();
        let closed = || redb::Error::Io(io::Error::new(io::ErrorKind::StorageFull, "it could not be opened anew"));
        guarded(&self.path, || call(database.as_ref().ok_or_else(closed)?))
    }
}

/// For a file that is read or written once.
pub(super) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(DiskSettings::default().cache_bytes);
    builder
}

/// A call of the library, whose panics, which a damaged file can cause, are errors here.
fn guarded<T>(path: &Path, call: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, StoreError> {
    let file = path.to_owned();
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(why)) => Err(explain(file, why)),
        Err(_) => Err(StoreError::Corrupted { file, why: "the storage library panicked on it".to_owned() }),
    }
}

fn explain(file: PathBuf, why: redb::Error) -> StoreError {
    match why {
        // Not a store at all, or the end is missing.
        redb::Error::Io(why) if matches!(why.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            StoreError::Corrupted { file, why: why.to_string() }
        }
        redb::Error::Io(why) => StoreError::Io { file, why: why.into() },
        redb::Error::Corrupted(why) => StoreError::Corrupted { file, why },
        redb::Error::DatabaseAlreadyOpen => {
            // The folder was ours: whoever it is does not keep to its lock.
            let folder = file.parent().unwrap_or(&file).to_owned();
            StoreError::Locked { folder, holder: None }
        }
        why @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed) => {
            StoreError::Io { file, why: io::Error::new(io::ErrorKind::ResourceBusy, why).into() }
        }
        why @ (redb::Error::RepairAborted | redb::Error::UpgradeRequired(_)) => {
            StoreError::Corrupted { file, why: why.to_string() }
        }
        why => StoreError::Io { file, why: io::Error::other(why).into() },
    }
}

/// Makes the name of a new file durable, where the system has a call for it.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}
