//! A user's machine as the machine of a consensus group: it applies each command once, however often it is in the log.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Applied, StateMachine};
use crate::actor::Failure;
use crate::base::{BoxError, NodeKey, RequestId};
use crate::codec::{DecodeError, decode, encode};
use crate::raft::Machine;
use crate::replication::{Recorded, SessionTable};

/// An entry of a machine's log.
#[derive(Serialize, Deserialize)]
pub(super) enum Entry {
    /// A command, under the id of its request. Below `floor` its sender has heard all answers.
    Command { id: RequestId, floor: u64, command: Bytes },
    /// The sender of these requests is gone for good.
    Expire { origin: NodeKey },
}

/// One copy of a user's machine, shared between its group and those who read it.
pub(super) struct Copy<M> {
    state: Mutex<State<M>>,
    /// The place in the log of the last command that was applied.
    applied: watch::Sender<u64>,
}

struct State<M> {
    machine: M,
    sessions: SessionTable,
}

impl<M: StateMachine> Copy<M> {
    pub(super) fn new(machine: M) -> Arc<Self> {
        let state = State { machine, sessions: SessionTable::default() };
        Arc::new(Self { state: Mutex::new(state), applied: watch::Sender::new(0) })
    }

    /// Looks at the state, as far as it is here.
    pub(super) fn look<T>(&self, at: impl FnOnce(&M) -> T) -> T {
        at(&self.lock().machine)
    }

    /// Waits until the command at this place of the log is applied here.
    pub(super) async fn reaches(&self, index: u64) {
        // The sender lives as long as `self`.
        let _ = self.applied.subscribe().wait_for(|applied| *applied >= index).await;
    }

    fn lock(&self) -> MutexGuard<'_, State<M>> {
        // A command that panicked left the machine as it is on every copy.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What its node knows of a copy, whatever its machine is.
pub(super) trait AnyCopy: Send + Sync {
    /// The place in the log of the last command that was applied.
    fn applied(&self) -> u64;

    /// Whether this program can read an entry.
    fn reads(&self, entry: &Bytes) -> bool;

    /// The senders whose answers are kept.
    fn origins(&self) -> BTreeSet<NodeKey>;
}

impl<M: StateMachine> AnyCopy for Copy<M> {
    fn applied(&self) -> u64 {
        *self.applied.borrow()
    }

    fn reads(&self, entry: &Bytes) -> bool {
        match decode(entry) {
            Ok(Entry::Command { command, .. }) => decode::<M::Command>(&command).is_ok(),
            Ok(Entry::Expire { .. }) => true,
            Err(_) => false,
        }
    }

    fn origins(&self) -> BTreeSet<NodeKey> {
        self.lock().sessions.origins()
    }
}

/// The group's end of a [`Copy`].
pub(super) struct Adapter<M>(pub(super) Arc<Copy<M>>);

impl<M: StateMachine> State<M> {
    fn apply(&mut self, entry: &Bytes) -> Result<Applied, DecodeError> {
        match decode::<Entry>(entry)? {
            Entry::Expire { origin } => {
                self.sessions.expire(origin);
                Ok(Applied::Over)
            }
            Entry::Command { id, floor, command } => self.command(id, floor, &command),
        }
    }

    fn command(&mut self, id: RequestId, floor: u64, command: &Bytes) -> Result<Applied, DecodeError> {
        let origin = id.session.origin;
        match self.sessions.recorded(id) {
            Some(Recorded::Value(output)) => return Ok(Applied::Value(output.clone())),
            Some(Recorded::Failed) => return Ok(Applied::Failed),
            None if self.sessions.is_expired(origin) => return Ok(Applied::Expired(origin)),
            None if !self.sessions.admits(id) => return Ok(Applied::Over),
            None => {}
        }
        let command = decode::<M::Command>(command)?;
        let machine = &mut self.machine;
        let output = catch_unwind(AssertUnwindSafe(|| encode(&machine.apply(command))));
        let recorded = match output {
            Ok(Ok(output)) => Recorded::Value(output.into()),
            Ok(Err(error)) => {
                tracing::error!(%error, "the output of a state machine cannot be encoded");
                Recorded::Failed
            }
            Err(panic) => {
                tracing::error!(panic = Failure::from_panic(panic).reason, "a state machine panicked");
                Recorded::Failed
            }
        };
        let applied = match &recorded {
            Recorded::Value(output) => Applied::Value(output.clone()),
            Recorded::Failed => Applied::Failed,
        };
        self.sessions.record(id, floor, recorded);
        Ok(applied)
    }
}

impl<M: StateMachine> Machine for Adapter<M> {
    /// A command that is committed and cannot be read here would be applied on other copies: this one stops, rather than go
    /// on with another state than theirs.
    fn apply(&mut self, index: u64, entry: &Bytes) -> Result<Bytes, BoxError> {
        let unreadable = |error| format!("a command cannot be read by this version of the program: {error}");
        let applied = self.0.lock().apply(entry).map_err(unreadable)?;
        self.0.applied.send_replace(index);
        Ok(encode(&applied)?.into())
    }

    fn snapshot(&self) -> Result<Bytes, BoxError> {
        let state = self.0.lock();
        let machine = catch_unwind(AssertUnwindSafe(|| state.machine.snapshot()));
        let machine =
            machine.map_err(|panic| format!("`snapshot` panicked: {}", Failure::from_panic(panic).reason))??;
        Ok(encode(&(self.0.applied(), &state.sessions, Bytes::from(machine)))?.into())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
        let (index, sessions, bytes): (u64, SessionTable, Bytes) = decode(snapshot)?;
        let mut state = self.0.lock();
        let State { machine, .. } = &mut *state;
        let restored = catch_unwind(AssertUnwindSafe(|| machine.restore(&bytes)));
        restored.map_err(|panic| format!("`restore` panicked: {}", Failure::from_panic(panic).reason))??;
        state.sessions = sessions;
        drop(state);
        self.0.applied.send_replace(index);
        Ok(())
    }
}
