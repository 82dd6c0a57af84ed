//! Files that nobody goes on with: they are looked into, and copied from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::copies;
use super::file::{FILE, StoreFile, builder, sync_folder};
use super::lock::FolderLock;
use super::tables::{self, StoredLog};
use super::unsynced::{self, GIVEN_UP};
use super::{DiskSettings, Identity, StoreError};
use crate::base::GroupId;
use crate::storage::{LogPosition, StoredSnapshot};

/// A copy of a node's file, in a folder of its own. No node opens it.
pub(super) const BACKUP: &str = "backup.redb";

/// The file of a node that does not run, or a copy of one that does.
pub(crate) struct Salvage {
    store: StoreFile,
    identity: Identity,
    synced: bool,
}

/// What a file holds of a group.
pub(crate) struct StoredGroup {
    pub(crate) log: StoredLog,
    pub(crate) snapshot: Option<StoredSnapshot>,
}

impl StoredGroup {
    /// The last entry of the log, or that before it.
    pub(crate) fn last(&self) -> Option<LogPosition> {
        self.log.entries.last().map(|entry| entry.at).or(self.log.purged)
    }
}

impl Salvage {
    /// Opens a file; in a folder that of its node, else the backup in it, else what was given up last.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let io = |why: io::Error| StoreError::Io { file: path.to_owned(), why: why.into() };
        let missing = || StoreError::Missing { path: path.to_owned() };
        let file = find(path).map_err(io)?.ok_or_else(missing)?;
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (folder, given_up) = (file.parent().filter(|_| name == FILE), name.starts_with(GIVEN_UP));
        let lock = folder.map(FolderLock::take).transpose()?;
        let doubtful = folder.map(unsynced::is_doubtful).transpose().map_err(io)?;
        let synced = !given_up && doubtful != Some(true);
        let (store, identity) = StoreFile::salvage(file, lock)?;
        Ok(Self { store, identity, synced })
    }

    /// False: its machine stopped before all was synced, and what was written last may be missing.
    pub(crate) fn is_synced(&self) -> bool {
        self.synced
    }

    pub(crate) fn file(&self) -> &Path {
        self.store.path()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn record(&self) -> Result<Option<Bytes>, StoreError> {
        self.store.read(tables::read_record)
    }

    pub(crate) fn groups(&self) -> Result<Vec<GroupId>, StoreError> {
        self.store.read(tables::read_groups)
    }

    pub(crate) fn group(&self, group: GroupId) -> Result<StoredGroup, StoreError> {
        self.store.read(|read| {
            let log = tables::read_log(read, group)?;
            let snapshot = tables::read_snapshot(read, group)?.map(|(snapshot, _)| snapshot);
            Ok(StoredGroup { log, snapshot })
        })
    }

    /// Shows each row of a group's table, as its snapshot has it.
    pub(crate) fn each_row(&self, group: GroupId, show: impl FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        self.store.read(|read| match tables::snapshot_place(read, group)? {
            Some(place) => super::rows::each(read, place.generation, show),
            None => Ok(()),
        })
    }

    /// Begins the file of a node in a folder that has none, with groups of several files.
    pub(crate) fn gather<'a>(
        into: &Path,
        identity: &Identity,
        groups: impl IntoIterator<Item = (GroupId, &'a Self)>,
    ) -> Result<(), StoreError> {
        let io = |why: io::Error| StoreError::Io { file: into.to_owned(), why: why.into() };
        if into.join(FILE).exists() {
            return Err(io(io::Error::new(io::ErrorKind::AlreadyExists, "a node has its file there")));
        }
        let begun = StoreFile::open(into, identity, &DiskSettings::default())?;
        for (group, from) in groups {
            from.store.read(|read| begun.copy_in(|to| copies::group(read, to, group)))?;
        }
        Ok(())
    }
}

impl StoreFile {
    /// Copies the file, as it is now, to a folder, where no other process and no node has anything.
    pub(super) fn back_up(&self, folder: &Path) -> Result<(), StoreError> {
        let io = |why: io::Error| StoreError::Io { file: folder.to_owned(), why: why.into() };
        fs::create_dir_all(folder).map_err(io)?;
        let (file, part) = (folder.join(BACKUP), folder.join(format!("{BACKUP}.part")));
        if file.exists() {
            return Err(io(io::Error::new(io::ErrorKind::AlreadyExists, "there is a backup already")));
        }
        if part.exists() {
            // Of a process that did not get to its end.
            fs::remove_file(&part).map_err(io)?;
        }
        self.read(|read| {
            let copy = builder().create(&part)?;
            copies::whole(read, &copy)
        })?;
        fs::rename(part, file).and_then(|()| sync_folder(folder)).map_err(io)
    }
}

fn find(path: &Path) -> io::Result<Option<PathBuf>> {
    if !path.is_dir() {
        return Ok(path.try_exists()?.then(|| path.to_owned()));
    }
    for name in [FILE, BACKUP] {
        if path.join(name).try_exists()? {
            return Ok(Some(path.join(name)));
        }
    }
    let mut given_up = Vec::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(GIVEN_UP)?.strip_prefix('-')?.parse::<u32>().ok());
        given_up.extend(number.map(|number| (number, path.join(name))));
    }
    Ok(given_up.into_iter().max().map(|(_, file)| file))
}
