//! The way of a proposal into the log, and of its fate back.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;
use openraft::errors::{ClientWriteError, ForwardReason};
use parking_lot::Mutex;

use super::Engine;
use super::types::{Command, Done, WriteResult};
use crate::raft::{COMMAND_BYTES_MAX, LeaderId, ProposalDone, ProposeError, Proposed, Refusal};

/// Whoever knows the fate first tells it; the others find nothing to call.
#[derive(Clone)]
struct Fate(Arc<Mutex<Option<ProposalDone>>>);

impl Fate {
    fn tell(&self, result: Result<Proposed, ProposeError>) {
        let done = self.0.lock().take();
        if let Some(done) = done {
            done(result);
        }
    }
}

impl Engine {
    /// Proposes a command under one leadership of this node.
    pub(in crate::raft) fn propose(&self, leader: LeaderId, command: Bytes, done: ProposalDone) {
        let refuse = |why| Err(ProposeError::NotProposed { group: self.group, why });
        if self.is_closed() {
            return done(refuse(Refusal::Stopped));
        }
        if leader.node != self.me {
            return done(refuse(Refusal::NotLeader { leader: self.pulse().view().leader }));
        }
        if command.len() > COMMAND_BYTES_MAX {
            return done(refuse(Refusal::TooLarge { bytes: command.len() }));
        }
        let fate = Fate(Arc::new(Mutex::new(Some(done))));
        let (engine, told) = (self.clone(), fate.clone());
        let responder = Done::new(move |result| told.tell(engine.fate(leader, result)));
        let write = self.core.raft.write(Command(command)).with_leader(leader.term).responder(responder);
        // The only thing that this waits for is a place in the queue of the core.
        let mut queued = pin!(tokio::task::coop::unconstrained(write.into_future()));
        if queued.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            // Told before the proposal is dropped, which would be taken for the loss of a proposal in the log.
            fate.tell(refuse(Refusal::Busy));
        }
    }

    fn fate(&self, leader: LeaderId, result: Option<WriteResult>) -> Result<Proposed, ProposeError> {
        let group = self.group;
        let why = match result {
            // Another leader's entry in this place is not this proposal.
            Some(Ok(written)) if **written.log_id.committed_leader_id() == leader.term => {
                return Ok(Proposed { index: written.log_id.index, output: written.data });
            }
            Some(Err(ClientWriteError::ForwardToLeader(forward))) => match forward.reason {
                ForwardReason::LeaseExpired => Refusal::NoQuorum,
                ForwardReason::LeadershipTransfer => Refusal::Transferring,
                _ => Refusal::NotLeader { leader: self.pulse().view().leader },
            },
            // Discarded, superseded, or let go of in a stop: it may have reached others.
            _ => return Err(ProposeError::Lost { group }),
        };
        Err(ProposeError::NotProposed { group, why })
    }
}
