//! A user's machine as the machine of a consensus group: it applies each command once, however often it is in the log.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Applied, StateMachine};
use crate::actor::Failure;
use crate::base::{BoxError, NodeKey, RequestId};
use crate::codec::{DecodeError, decode, encode};
use crate::raft::{COMMAND_BYTES_MAX, Machine, MachineSnapshot};
use crate::replication::{Kept, SessionTable};
use crate::storage::StagedRows;

/// The largest output, encoded, in bytes: as large as a command may be.
pub(super) const OUTPUT_BYTES_MAX: usize = COMMAND_BYTES_MAX;

/// The most that the outputs may take that senders have not confirmed, in bytes.
pub(super) const OUTPUTS_BYTES_MAX: usize = 64 << 20;

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
    sessions: SessionTable<Applied>,
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
        self.state.lock()
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
            Some(applied) => return Ok(applied.clone()),
            None if self.sessions.is_expired(origin) => return Ok(Applied::Expired(origin)),
            None if !self.sessions.admits(id) => return Ok(Applied::Over),
            None => {}
        }
        let command = decode::<M::Command>(command)?;
        let machine = &mut self.machine;
        let applied = match catch_unwind(AssertUnwindSafe(|| encode(&machine.apply(command)))) {
            Ok(Ok(output)) if output.len() > OUTPUT_BYTES_MAX => Applied::Dropped { bytes: output.len() as u64 },
            Ok(Ok(output)) => Applied::Value(output.into()),
            Ok(Err(error)) => {
                tracing::error!(%error, "the output of a state machine cannot be encoded");
                Applied::Failed
            }
            Err(panic) => {
                tracing::error!(panic = Failure::from_panic(panic).reason, "a state machine panicked");
                Applied::Failed
            }
        };
        self.sessions.record(id, floor, applied.clone());
        self.sessions.shrink(OUTPUTS_BYTES_MAX, Applied::without_output);
        Ok(applied)
    }
}

impl Kept for Applied {
    fn bytes(&self) -> usize {
        if let Self::Value(output) = self { output.len() } else { 0 }
    }
}

impl Applied {
    /// What is left of it when its output is not kept.
    fn without_output(&self) -> Option<Self> {
        match self {
            Self::Value(output) => Some(Self::Dropped { bytes: output.len() as u64 }),
            _ => None,
        }
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

    fn snapshot(&self) -> Result<MachineSnapshot, BoxError> {
        let state = self.0.lock();
        let machine = catch_unwind(AssertUnwindSafe(|| state.machine.snapshot()));
        let machine =
            machine.map_err(|panic| format!("`snapshot` panicked: {}", Failure::from_panic(panic).reason))??;
        Ok(encode(&(self.0.applied(), &state.sessions, Bytes::from(machine)))?.into())
    }

    fn restore(&mut self, head: &[u8], _: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
        let (index, sessions, bytes): (u64, SessionTable<Applied>, Bytes) = decode(head)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SessionId;

    /// Answers with so many bytes as it is told.
    #[derive(Default)]
    struct Generous {
        applied: u64,
    }

    impl StateMachine for Generous {
        type Command = usize;
        type Output = Bytes;

        fn apply(&mut self, bytes: usize) -> Bytes {
            self.applied += 1;
            vec![7; bytes].into()
        }

        fn snapshot(&self) -> Result<Vec<u8>, BoxError> {
            Ok(encode(&self.applied)?)
        }

        fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
            self.applied = decode(snapshot)?;
            Ok(())
        }
    }

    /// Several copies of one machine, to which the same is done.
    struct Copies {
        all: Vec<Adapter<Generous>>,
        index: u64,
    }

    impl Copies {
        fn new() -> Self {
            let copy = || Adapter(Copy::new(Generous::default()));
            Self { all: vec![copy(), copy()], index: 0 }
        }

        /// Applies a command on every copy. All of them say the same of it.
        fn apply(&mut self, origin: u64, sequence: u64, floor: u64, bytes: usize) -> Applied {
            let session = SessionId { origin: NodeKey(origin), entity_type: 1, shard: 0 };
            let (id, command) = (RequestId { session, sequence }, encode(&bytes).unwrap().into());
            let entry = Bytes::from(encode(&Entry::Command { id, floor, command }).unwrap());
            self.index += 1;
            let mut said: Vec<_> =
                self.all.iter_mut().map(|copy| Machine::apply(copy, self.index, &entry).unwrap()).collect();
            said.dedup();
            assert_eq!(said.len(), 1, "the copies differ");
            decode(&said[0]).unwrap()
        }

        /// One that begins with a snapshot joins them.
        fn join(&mut self) {
            let mut late = Adapter(Copy::new(Generous::default()));
            late.restore(&self.all[0].snapshot().unwrap().head, None).unwrap();
            self.all.push(late);
        }

        fn applied(&self) -> u64 {
            self.all[0].0.look(|machine| machine.applied)
        }

        fn kept(&self) -> usize {
            self.all[0].0.lock().sessions.bytes()
        }
    }

    fn value(applied: &Applied) -> bool {
        matches!(applied, Applied::Value(_))
    }

    #[test]
    fn outputs_that_nobody_confirms_have_a_bound_and_commands_are_applied_once_all_the_same() {
        let mut copies = Copies::new();
        let bytes = OUTPUT_BYTES_MAX / 2;
        let many = (2 * OUTPUTS_BYTES_MAX / bytes) as u64;
        assert!(value(&copies.apply(1, 0, 0, 10)));
        for sequence in 0..many {
            if sequence == many / 2 {
                copies.join();
            }
            assert!(value(&copies.apply(2, sequence, 0, bytes)), "the first answer has its output");
            assert!(copies.kept() <= OUTPUTS_BYTES_MAX, "{} bytes are kept", copies.kept());
        }
        assert_eq!(copies.applied(), many + 1);
        // What is sent again: the oldest outputs are gone, and the newest are not; nothing is applied twice.
        assert!(matches!(copies.apply(2, 0, 0, bytes), Applied::Dropped { bytes: lost } if lost > bytes as u64));
        assert!(value(&copies.apply(2, many - 1, 0, bytes)));
        assert!(value(&copies.apply(1, 0, 0, 10)), "who asked for little has lost nothing");
        assert_eq!(copies.applied(), many + 1);
        // A sender that confirms makes room.
        assert!(value(&copies.apply(2, many, many, 10)));
        assert!(copies.kept() < 1_000, "{} bytes are kept", copies.kept());
    }

    #[test]
    fn an_output_over_the_limit_is_lost_and_its_command_applied_once() {
        let mut copies = Copies::new();
        for _ in 0..2 {
            let applied = copies.apply(1, 0, 0, OUTPUT_BYTES_MAX);
            assert!(matches!(applied, Applied::Dropped { bytes } if bytes > OUTPUT_BYTES_MAX as u64), "{applied:?}");
        }
        assert_eq!(copies.applied(), 1);
        assert!(value(&copies.apply(1, 1, 1, OUTPUT_BYTES_MAX - 100)));
    }
}
