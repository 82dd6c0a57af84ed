//! A disk in memory that can be held up, fail and lose power.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redb::StorageBackend;

use super::super::file::StoreFile;
use super::identity;
use crate::storage::{DiskSettings, DiskStores};

/// How long anything waits for a test.
const PATIENCE: Duration = Duration::from_secs(20);

type Answer<T> = io::Result<T>;

#[derive(Clone, Debug, Default)]
pub(super) struct FaultyDisk(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What a reader sees.
    bytes: Vec<u8>,
    /// What is left when power is lost now, but for
    durable: Vec<u8>,
    /// what was written since, of which anything may be left.
    since: Vec<Write>,
    syncs: u64,
    /// A sync waits,
    held: bool,
    /// but for so many.
    passes: u32,
    waiting: bool,
    /// Writes and syncs fail.
    fails: bool,
    /// There is no room for writes.
    full: bool,
    /// Reads fail.
    unreadable: bool,
}

#[derive(Debug)]
enum Write {
    At(u64, Vec<u8>),
    Length(u64),
}

impl FaultyDisk {
    pub(super) fn open(&self, folder: &Path) -> DiskStores {
        DiskStores::start(folder, self.file(folder)).unwrap()
    }

    pub(super) fn file(&self, folder: &Path) -> StoreFile {
        let (disk, settings) = (self.clone(), DiskSettings { cache_bytes: 1 << 20, ..DiskSettings::default() });
        StoreFile::open_on(folder, &identity(), &settings, None, move || Ok(disk.clone())).unwrap()
    }

    pub(super) fn hold(&self, held: bool) {
        self.0.state.lock().held = held;
        self.0.changed.notify_all();
    }

    /// Lets the sync that is held up pass, and waits until it has.
    pub(super) fn pass_one(&self) {
        let mut state = self.0.state.lock();
        let before = state.syncs;
        state.passes = 1;
        self.0.changed.notify_all();
        let late = self.0.changed.wait_while_for(&mut state, |state| state.syncs == before, PATIENCE);
        assert!(!late.timed_out(), "it passes");
    }

    /// Waits until a sync is held up.
    pub(super) fn is_held(&self) {
        let mut state = self.0.state.lock();
        let late = self.0.changed.wait_while_for(&mut state, |state| !state.waiting, PATIENCE);
        assert!(!late.timed_out(), "something is synced");
    }

    /// Whether a sync is held up.
    pub(super) fn is_waiting(&self) -> bool {
        self.0.state.lock().waiting
    }

    pub(super) fn fail(&self) {
        self.0.state.lock().fails = true;
    }

    pub(super) fn fail_reads(&self) {
        self.0.state.lock().unreadable = true;
    }

    pub(super) fn fill(&self, full: bool) {
        self.0.state.lock().full = full;
    }

    pub(super) fn syncs(&self) -> u64 {
        self.0.state.lock().syncs
    }

    /// The disk after the power was lost at this moment.
    pub(super) fn without_power(&self, seed: u64) -> Self {
        let state = self.0.state.lock();
        let (mut bytes, mut rng) = (state.durable.clone(), StdRng::seed_from_u64(seed));
        for write in &state.since {
            match write {
                _ if rng.random_bool(0.5) => {}
                Write::Length(length) => bytes.resize(*length as usize, 0),
                Write::At(offset, written) => {
                    // A write may be torn.
                    let whole = rng.random_bool(0.7);
                    let length = if whole { written.len() } else { rng.random_range(0..=written.len()) };
                    put(&mut bytes, *offset, &written[..length]);
                }
            }
        }
        let state = State { bytes: bytes.clone(), durable: bytes, ..State::default() };
        Self(Arc::new(Inner { state: Mutex::new(state), changed: Condvar::new() }))
    }
}

impl Write {
    fn reach(self, bytes: &mut Vec<u8>) {
        match self {
            Self::At(offset, written) => put(bytes, offset, &written),
            Self::Length(length) => bytes.resize(length as usize, 0),
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: u64, written: &[u8]) {
    let end = offset as usize + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset as usize..end].copy_from_slice(written);
}

impl State {
    fn has_room(&self) -> io::Result<()> {
        self.works()?;
        if self.full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn works(&self) -> io::Result<()> {
        if self.fails { Err(io::Error::other("the disk is broken")) } else { Ok(()) }
    }
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> Answer<u64> {
        Ok(self.0.state.lock().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Answer<()> {
        let state = self.0.state.lock();
        if state.unreadable {
            return Err(io::Error::other("the disk cannot be read"));
        }
        let end = offset as usize + out.len();
        let bytes = state.bytes.get(offset as usize..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Answer<()> {
        let mut state = self.0.state.lock();
        state.has_room()?;
        state.bytes.resize(len as usize, 0);
        state.since.push(Write::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> Answer<()> {
        let mut state = self.0.state.lock();
        state.waiting = true;
        self.0.changed.notify_all();
        // A test that has failed lets nobody go on.
        self.0.changed.wait_while_for(&mut state, |state| state.held && state.passes == 0, PATIENCE);
        let state = &mut *state;
        state.waiting = false;
        state.passes = state.passes.saturating_sub(1);
        state.works()?;
        for write in state.since.drain(..) {
            write.reach(&mut state.durable);
        }
        state.syncs += 1;
        self.0.changed.notify_all();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Answer<()> {
        let mut state = self.0.state.lock();
        state.has_room()?;
        put(&mut state.bytes, offset, data);
        state.since.push(Write::At(offset, data.to_vec()));
        Ok(())
    }
}
