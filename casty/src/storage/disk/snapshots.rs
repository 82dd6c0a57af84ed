//! The snapshots of one group on the disk.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};

use super::moments::MomentReader;
use super::state::{DiskState, DiskTable, Unsaved};
use super::tables;
use super::work::{Checkpoint, Work};
use super::writer::Writer;
use crate::base::GroupId;
use crate::storage::{Flushed, FrozenRows, LogPosition, RowReader, SnapshotStore, StoredSnapshot};

/// The last snapshot of a group. The rows of the group's table are a part of it, which is the table itself.
pub(super) struct DiskSnapshots {
    group: GroupId,
    writer: Arc<Writer>,
    /// Held while one is queued.
    newest: Mutex<Newest>,
}

struct Newest {
    /// The last entry of the newest snapshot that was handed in.
    through: Option<LogPosition>,
    /// The table whose rows may be saved.
    table: Option<Weak<RwLock<DiskTable>>>,
    /// Snapshots of the table that are not durable yet.
    saving: Arc<AtomicUsize>,
    /// The group is forgotten.
    retired: bool,
}

impl DiskSnapshots {
    pub(super) fn load(group: GroupId, writer: Arc<Writer>) -> io::Result<Self> {
        let through = writer.read(|read| tables::snapshot_place(read, group))?.map(|place| place.through);
        let newest = Newest { through, table: None, saving: Arc::default(), retired: false };
        Ok(Self { group, writer, newest: Mutex::new(newest) })
    }

    /// The table as the last snapshot has it. What an earlier one has is not saved any more.
    pub(super) fn table(&self) -> io::Result<DiskState> {
        let mut newest = self.newest.lock();
        newest.table = None;
        if newest.saving.load(Ordering::Acquire) > 0 {
            self.writer.wait()?;
        }
        let (place, stale) = self.writer.read(|read| {
            Ok((tables::snapshot_place(read, self.group)?, tables::stale(read, self.group..=self.group)?))
        })?;
        // Nobody goes on with what the table before had begun to take.
        stale.into_iter().try_for_each(|generation| self.writer.queue(Work::Sweep(generation), None))?;
        let generation = place.map_or_else(|| self.writer.new_generation(self.group), |place| place.generation);
        let state = DiskState::open(generation, self.writer.clone());
        newest.table = Some(Arc::downgrade(state.table()));
        Ok(state)
    }

    /// Saves nothing any more.
    pub(super) fn retire(&self) {
        self.newest.lock().retired = true;
    }
}

impl SnapshotStore for DiskSnapshots {
    fn load(&self) -> io::Result<Option<(StoredSnapshot, Box<dyn RowReader>)>> {
        self.writer.read_file(|file| {
            let begin = |read: &_| {
                let place = tables::snapshot_place(read, self.group)?;
                Ok(place.map(|place| MomentReader::begin(place.generation, file.moments(), self.writer.clone())))
            };
            // The head may be large: nobody waits while it is read.
            file.read_moment(begin, |read, reader| {
                let snapshot = tables::read_snapshot(read, self.group)?.map(|(snapshot, _)| snapshot);
                Ok(snapshot.zip(reader.map(|reader| Box::new(reader) as Box<dyn RowReader>)))
            })
        })
    }

    fn save(&self, snapshot: StoredSnapshot, rows: Option<FrozenRows>, done: Flushed) -> io::Result<()> {
        let mut newest = self.newest.lock();
        if newest.retired {
            return Err(io::Error::other("the group is forgotten"));
        }
        let unsaved = rows.map(|rows| own(rows, newest.table.as_ref())).transpose()?;
        let overtaken = newest.through.is_some_and(|through| through.index >= snapshot.through.index);
        if overtaken {
            return self.writer.queue(Work::Barrier, Some(done));
        }
        let rows = unsaved.as_ref().map(|unsaved| unsaved.take().ok_or_else(foreign)).transpose()?;
        newest.through = Some(snapshot.through);
        let saving = newest.saving.clone();
        saving.fetch_add(1, Ordering::AcqRel);
        let saved: Flushed = Box::new(move |result| {
            if let (Ok(()), Some(unsaved)) = (&result, unsaved) {
                unsaved.saved();
            }
            saving.fetch_sub(1, Ordering::AcqRel);
            done(result);
        });
        self.writer.queue(Work::Checkpoint(Checkpoint { group: self.group, snapshot, rows }), Some(saved))
    }
}

/// The rows, if they were frozen in this table.
fn own(rows: FrozenRows, table: Option<&Weak<RwLock<DiskTable>>>) -> io::Result<Box<Unsaved>> {
    let FrozenRows::Unsaved(rows) = rows else { return Err(foreign()) };
    let unsaved = rows.downcast::<Unsaved>().map_err(|_| foreign())?;
    if table.is_some_and(|table| unsaved.is_of(table)) { Ok(unsaved) } else { Err(foreign()) }
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the rows are not those of the group's table here")
}
