//! A disk in memory whose syncs take time, and that can lose power: for the simulator.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redb::StorageBackend;
use tokio::time::sleep;

use super::file::StoreFile;
use super::{DiskSettings, DiskStores, Identity, StoreError};

/// A disk in memory. It outlives the process that uses it, which is cut off from it when it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What a reader sees.
    bytes: Vec<u8>,
    /// What is left whatever happens, but for
    durable: Vec<u8>,
    /// what was written since. A sync begins another part: nothing of it is left unless all before it is.
    since: Vec<Vec<Write>>,
    /// How long a sync takes.
    delay: Duration,
    unplugged: bool,
    failed: bool,
}

#[derive(Debug)]
enum Write {
    At(u64, Vec<u8>),
    Length(u64),
}

impl SimulatedDisk {
    /// Opens the store on this disk, on the runtime of the caller.
    pub(crate) fn open(&self, identity: &Identity) -> Result<DiskStores, StoreError> {
        let disk = self.clone();
        let file = StoreFile::open_on(Path::new("simulated"), identity, &DiskSettings::default(), None, move || {
            Ok(disk.clone())
        })?;
        DiskStores::simulate(file, self.clone())
    }

    /// From now on each sync takes so long.
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.0.lock().delay = delay;
    }

    /// From now on nothing is written or synced. Whether what was written before and not synced is there, nobody knows.
    pub(crate) fn fail(&self) {
        self.0.lock().failed = true;
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.0.lock().failed
    }

    /// Waits until what was written before is synced.
    pub(super) async fn settle(&self) {
        let (delay, parts) = {
            let state = self.0.lock();
            (state.delay, state.since.len())
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let mut state = self.0.lock();
        let State { durable, since, .. } = &mut *state;
        since.drain(..parts).flatten().for_each(|write| write.reach(durable));
    }

    /// The disk as the next process finds it, when the present one is killed at this moment: all that it has written.
    pub(crate) fn after_kill(&self) -> Self {
        let mut state = self.0.lock();
        state.unplugged = true;
        Self::with(state.bytes.clone())
    }

    /// The disk as the next process finds it, when the machine loses power at this moment: all that was synced, and of
    /// what was written since some of it, as `seed` has it, with a write that is torn.
    pub(crate) fn after_power_loss(&self, seed: u64) -> Self {
        let mut state = self.0.lock();
        state.unplugged = true;
        let (mut bytes, mut rng) = (state.durable.clone(), StdRng::seed_from_u64(seed));
        let whole = rng.random_range(0..=state.since.len());
        for (number, part) in state.since.drain(..).enumerate() {
            for write in part {
                match (number < whole, write) {
                    (true, write) => write.reach(&mut bytes),
                    (false, _) if number > whole || rng.random_bool(0.5) => {}
                    (false, Write::At(offset, written)) if rng.random_bool(0.3) => {
                        let torn = written[..rng.random_range(0..=written.len())].to_vec();
                        Write::At(offset, torn).reach(&mut bytes);
                    }
                    (false, write) => write.reach(&mut bytes),
                }
            }
        }
        Self::with(bytes)
    }

    fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { durable: bytes.clone(), bytes, ..State::default() })))
    }
}

impl Write {
    fn reach(self, bytes: &mut Vec<u8>) {
        match self {
            Self::At(offset, written) => {
                let (start, end) = (offset as usize, offset as usize + written.len());
                bytes.resize(bytes.len().max(end), 0);
                bytes[start..end].copy_from_slice(&written);
            }
            Self::Length(length) => bytes.resize(length as usize, 0),
        }
    }
}

impl State {
    fn check(&self) -> io::Result<()> {
        match self {
            Self { unplugged: true, .. } => Err(io::Error::other("the process has ended")),
            Self { failed: true, .. } => Err(io::Error::other("the disk has failed")),
            _ => Ok(()),
        }
    }

    fn write(&mut self, write: impl Fn() -> Write) -> io::Result<()> {
        self.check()?;
        write().reach(&mut self.bytes);
        if self.since.is_empty() {
            self.since.push(Vec::new());
        }
        self.since.last_mut().into_iter().for_each(|part| part.push(write()));
        Ok(())
    }
}

impl StorageBackend for SimulatedDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock();
        let bytes = state.bytes.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.lock().write(|| Write::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.failed {
            return state.check();
        }
        if !state.unplugged && state.since.last().is_some_and(|part| !part.is_empty()) {
            state.since.push(Vec::new());
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.lock().write(|| Write::At(offset, data.to_vec()))
    }
}
