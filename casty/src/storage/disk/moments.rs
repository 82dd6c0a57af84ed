//! Tables as they were at one moment, read bit by bit while they change.
//!
//! The library could show a file as it was, too. But it uses no page again that is freed meanwhile, of whichever table: the
//! file would grow by all that is written while a large state is sent. So before a row changes that a reader has not come
//! to, what it was is kept for that reader, as a row of a generation of its own.

use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use redb::StorageError;

use super::rows::{self, Generation, ROWS, RowsTable};
use super::work::Work;
use super::writer::Writer;
use crate::storage::{RowBatch, RowReader};

/// The moments that are being read.
#[derive(Default)]
pub(super) struct Moments {
    readers: Mutex<Readers>,
    /// Held while the file is written.
    still: Mutex<()>,
}

#[derive(Default)]
struct Readers {
    open: Vec<Reading>,
    /// Generations that are to be removed when nobody reads them any more.
    unwanted: Vec<Generation>,
}

/// How far a reader is.
struct Reading {
    of: Generation,
    /// What it finds there as it was.
    kept: Generation,
    /// The last key that it has read.
    behind: Option<Vec<u8>>,
    /// Something was kept.
    keeps: bool,
}

impl Moments {
    /// The file does not change while this is held, and nobody begins to read a moment of it while it is written.
    pub(super) fn stand_still(&self) -> MutexGuard<'_, ()> {
        self.still.lock()
    }

    /// Whether somebody reads a generation.
    pub(super) fn is_read(&self, generation: Generation) -> bool {
        is_read(&self.readers.lock().open, generation)
    }

    /// A row of a generation is to change: it is kept for all who have not read it.
    pub(super) fn keep(&self, rows: &mut RowsTable<'_>, of: Generation, key: &[u8]) -> Result<(), StorageError> {
        let mut lacking = Vec::new();
        for reading in &mut self.readers.lock().open {
            if reading.of == of && reading.behind.as_deref() < Some(key) {
                reading.keeps = true;
                lacking.push(reading.kept);
            }
        }
        lacking.into_iter().try_for_each(|kept| rows::keep(rows, of, kept, key))
    }

    /// Whether a generation can be removed. Else it is once nobody reads it any more.
    pub(super) fn may_remove(&self, generation: Generation) -> bool {
        let Readers { open, unwanted } = &mut *self.readers.lock();
        let is_free = !is_read(open, generation);
        if !is_free && !unwanted.contains(&generation) {
            unwanted.push(generation);
        }
        is_free
    }

    fn begin(&self, of: Generation, kept: Generation) {
        self.readers.lock().open.push(Reading { of, kept, behind: None, keeps: false });
    }

    /// What is behind the last key of a reader is all that it has still to read.
    fn advance(&self, kept: Generation, behind: &[u8]) {
        let mut readers = self.readers.lock();
        let reading = readers.open.iter_mut().find(|reading| reading.kept == kept);
        reading.into_iter().for_each(|reading| reading.behind = Some(behind.to_vec()));
    }

    /// A reader has ended: gives the generations that are to be removed now.
    fn end(&self, kept: Generation) -> Vec<Generation> {
        let Readers { open, unwanted } = &mut *self.readers.lock();
        let Some(at) = open.iter().position(|reading| reading.kept == kept) else { return Vec::new() };
        let ended = open.swap_remove(at);
        unwanted.retain(|generation| *generation != kept);
        let free = unwanted.extract_if(.., |generation| !is_read(open, *generation));
        ended.keeps.then_some(kept).into_iter().chain(free).collect()
    }
}

fn is_read(open: &[Reading], generation: Generation) -> bool {
    open.iter().any(|reading| reading.of == generation || reading.kept == generation)
}

/// Reads a generation as it was when the reader was made, in the order of the keys.
pub(super) struct MomentReader {
    of: Generation,
    kept: Generation,
    behind: Option<Vec<u8>>,
    ended: bool,
    /// Keeps the file open.
    writer: Arc<Writer>,
}

impl MomentReader {
    /// Who calls this has the file [stand still](Moments::stand_still), so that it is known which moment it is.
    pub(super) fn begin(of: Generation, moments: &Moments, writer: Arc<Writer>) -> Self {
        let kept = writer.new_generation(of.group);
        moments.begin(of, kept);
        Self { of, kept, behind: None, ended: false, writer }
    }
}

impl RowReader for MomentReader {
    fn read(&mut self, bytes_max: usize) -> io::Result<RowBatch> {
        if self.ended {
            return Ok(RowBatch::default());
        }
        let (batch, last) = self.writer.read(|read| {
            rows::read_behind(&read.open_table(ROWS)?, self.of, self.kept, self.behind.as_deref(), bytes_max)
        })?;
        match &last {
            Some(last) => self.writer.file()?.moments().advance(self.kept, last),
            None => self.ended = true,
        }
        self.behind = last;
        Ok(batch.build())
    }
}

impl Drop for MomentReader {
    fn drop(&mut self) {
        // What a store that is closed, or has failed, keeps is removed when it is opened again.
        let Ok(file) = self.writer.file() else { return };
        for generation in file.moments().end(self.kept) {
            let _ = self.writer.queue(Work::Sweep(generation), None);
        }
    }
}
