//! What waits for a read index: replies of reads, and whatever was saved outside of the cluster.

use super::cells::CellKey;
use super::sends::Parcel;
use crate::base::RequestId;
use crate::sharding::protocol::Outcome;

/// What a handler leaves behind that has run.
pub(super) struct Ended {
    pub(super) answer: Option<(RequestId, Outcome)>,
    pub(super) cell: CellKey,
    pub(super) parcel: Option<Parcel>,
    /// The version of the entity after a handler that may have changed it; only of what is kept outside of the cluster.
    pub(super) version: Option<u64>,
}

impl Ended {
    /// The request that was handled.
    pub(super) fn request(&self) -> Option<RequestId> {
        self.answer.as_ref().map(|(id, _)| *id)
    }
}

/// The reads of one opening of a region. A reply waits for the commit of the writes that its handler saw, and for a
/// read index that was begun after the handler ran. Reads share a read index, but never one that already runs.
#[derive(Default)]
pub(super) struct Reads {
    /// Waiting for the commit of a batch.
    behind: Vec<(u64, Ended)>,
    /// Waiting for the next read index.
    ready: Vec<Ended>,
    confirming: bool,
    failed: bool,
}

impl Reads {
    /// A handler has run. It saw the writes up to batch `after`, of which `committed` is the latest that is committed.
    pub(super) fn push(&mut self, read: Ended, after: u64, committed: u64) {
        if after > committed {
            self.behind.push((after, read));
        } else {
            self.ready.push(read);
        }
    }

    /// Batch `committed` is committed.
    pub(super) fn committed(&mut self, committed: u64) {
        for (_, read) in self.behind.extract_if(.., |(after, _)| *after <= committed) {
            self.ready.push(read);
        }
    }

    /// The reads for the read index that is begun now; `None` if one runs, or nothing waits.
    pub(super) fn begin(&mut self) -> Option<Vec<Ended>> {
        if self.confirming || self.ready.is_empty() {
            return None;
        }
        self.confirming = true;
        Some(std::mem::take(&mut self.ready))
    }

    /// The read index that was begun has ended, or another may be begun after one that failed.
    pub(super) fn ended(&mut self) {
        (self.confirming, self.failed) = (false, false);
    }

    /// Whether the last read index failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// The read index failed. Its reads wait for the next, which [`ended`](Self::ended) allows.
    pub(super) fn failed(&mut self, reads: Vec<Ended>) {
        self.ready.extend(reads);
        self.failed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{NodeKey, SessionId};

    fn read(sequence: u64) -> Ended {
        let session = SessionId { origin: NodeKey(0), entity_type: 0, shard: 0 };
        let id = RequestId { session, sequence };
        Ended { answer: Some((id, Outcome::Failed)), cell: 0, parcel: None, version: None }
    }

    #[test]
    fn a_read_waits_for_the_writes_that_it_saw() {
        let mut reads = Reads::default();
        reads.push(read(1), 2, 1);
        assert!(reads.begin().is_none());
        reads.committed(1);
        assert!(reads.begin().is_none());
        reads.committed(2);
        assert_eq!(reads.begin().unwrap().len(), 1);
    }

    #[test]
    fn reads_of_a_failed_read_index_are_confirmed_by_the_next() {
        let mut reads = Reads::default();
        reads.push(read(1), 0, 0);
        let begun = reads.begin().unwrap();
        reads.failed(begun);
        assert!(reads.has_failed() && reads.begin().is_none(), "not at once");
        reads.ended();
        assert_eq!(reads.begin().unwrap().len(), 1);
    }

    #[test]
    fn a_read_never_shares_a_read_index_that_already_runs() {
        let mut reads = Reads::default();
        reads.push(read(1), 0, 0);
        assert_eq!(reads.begin().unwrap().len(), 1);
        reads.push(read(2), 0, 0);
        assert!(reads.begin().is_none(), "the running one was begun before this handler ran");
        reads.ended();
        assert_eq!(reads.begin().unwrap()[0].request().unwrap().sequence, 2);
    }
}
