//! Which life of a node a process goes on with: what a node keeps of itself where its state outlives the process.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::founding::Charter;
use crate::codec::{decode, encode};
use crate::storage::{Stores, durably};

/// So many numbers of each kind has one process of a life: asks, streams, proposals, actors. At a million a second they
/// last for half a year.
const NUMBERS: u64 = 1 << 44;

/// What the store keeps of the node itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The number of the life.
    incarnation: u64,
    /// How many processes have gone on with it before this one.
    restarts: u64,
    part: Part,
    /// The node had a part in a cluster of which its disk has lost everything, and has none since: others may wait for it
    /// with what it had, so it may join a cluster, and not found one.
    bereft: bool,
}

/// The node's part in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Part {
    /// It has none yet. The life ends with the process.
    None,
    Member(Membership),
    /// The cluster counts on this life no more.
    Over,
}

/// The cluster that a node belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Membership {
    pub(super) charter: Charter,
    /// The node has not begun all groups yet that it was given as a founder.
    pub(super) founding: bool,
}

/// The life that this process goes on with, or begins.
pub(super) struct Life {
    stores: Arc<dyn Stores>,
    record: Mutex<Record>,
}

impl Life {
    /// Goes on with the life that the store holds, or begins one, whose number is `incarnation` or higher.
    ///
    /// A life goes on if it has a cluster that counts on it, and anything ever came of that. Otherwise nobody can tell
    /// whether it goes on, so a new one begins, of a node that has forgotten everything.
    pub(super) async fn begin(stores: Arc<dyn Stores>, incarnation: u64) -> io::Result<Self> {
        let stored = stores.record()?.map(|bytes| decode::<Record>(&bytes)).transpose().map_err(io::Error::other)?;
        let record = match stored {
            Some(Record { incarnation, restarts, part: part @ Part::Member(_), .. }) if is_touched(&*stores)? => {
                Record { incarnation, restarts: restarts + 1, part, bereft: false }
            }
            stored => {
                durably(|done| stores.clear(done)).await?;
                let bereft = match &stored {
                    Some(stored) => stored.bereft && stored.part != Part::Over,
                    None => stores.has_lost(),
                };
                // The clock may have been set back.
                let later = stored.map_or(0, |stored| stored.incarnation + 1);
                Record { incarnation: incarnation.max(later), restarts: 0, part: Part::None, bereft }
            }
        };
        let life = Self { stores, record: Mutex::new(record.clone()) };
        life.save(record).await?;
        Ok(life)
    }

    /// The life that a store keeps, and the cluster that it belongs to; `None` if it belongs to none.
    pub(super) fn stored(record: &[u8]) -> io::Result<Option<(u64, Charter)>> {
        let Record { incarnation, part, .. } = decode(record).map_err(io::Error::other)?;
        Ok(match part {
            Part::Member(Membership { charter, .. }) => Some((incarnation, charter)),
            Part::None | Part::Over => None,
        })
    }

    /// Makes the life that an empty store keeps a member of another cluster.
    pub(super) async fn transplant(stores: &dyn Stores, record: &[u8], charter: Charter) -> io::Result<()> {
        let record: Record = decode(record).map_err(io::Error::other)?;
        let record = Record { part: Part::Member(Membership { charter, founding: false }), bereft: false, ..record };
        let bytes = encode(&record).map_err(io::Error::other)?;
        durably(|done| stores.save_record(bytes.into(), done)).await
    }

    /// The number of the life.
    pub(super) fn incarnation(&self) -> u64 {
        self.record.lock().incarnation
    }

    /// How many processes have gone on with the life before this one.
    pub(super) fn restarts(&self) -> u64 {
        self.record.lock().restarts
    }

    /// Whether the node may not found a cluster, since it has lost what it had of one.
    pub(super) fn is_bereft(&self) -> bool {
        self.record.lock().bereft
    }

    /// Where the numbers of this process begin: beyond those of all earlier ones of the life. Zero for the first.
    pub(super) fn first_number(&self) -> u64 {
        self.restarts().saturating_mul(NUMBERS)
    }

    /// The cluster that the node belongs to, if it knows one.
    pub(super) fn membership(&self) -> Option<Membership> {
        match &self.record.lock().part {
            Part::Member(membership) => Some(membership.clone()),
            Part::None | Part::Over => None,
        }
    }

    /// The node belongs to this cluster from now on.
    pub(super) async fn join(&self, membership: &Membership) -> io::Result<()> {
        self.set(Part::Member(membership.clone())).await
    }

    /// The cluster counts on this life no more: the next process begins another.
    pub(super) async fn end(&self) -> io::Result<()> {
        self.set(Part::Over).await
    }

    async fn set(&self, part: Part) -> io::Result<()> {
        let record = {
            let mut record = self.record.lock();
            record.part = part;
            record.clone()
        };
        self.save(record).await
    }

    async fn save(&self, record: Record) -> io::Result<()> {
        let bytes = encode(&record).map_err(io::Error::other)?;
        durably(|done| self.stores.save_record(bytes.into(), done)).await
    }
}

/// Whether any group has voted, or taken more than the entry with which founders begin.
fn is_touched(stores: &dyn Stores) -> io::Result<bool> {
    for group in stores.groups()? {
        let log = stores.log(group)?;
        if log.vote()?.is_some() || log.bounds()?.last.is_some_and(|last| last.index > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::GroupId;
    use crate::node::founding::{Founder, Terms};
    use crate::storage::{DiskStores, Identity, LogEntry, LogPosition, Payload, Vote};

    fn stores(folder: &tempfile::TempDir) -> Arc<dyn Stores> {
        let identity = Identity { node: "a".into(), cluster: "shop".to_owned() };
        Arc::new(DiskStores::open(folder.path(), &identity).unwrap())
    }

    fn membership() -> Membership {
        let founders = vec![Founder { id: "a".into(), incarnation: 5 }];
        let charter = Charter::new(founders, Terms { size: 1, groups: 1, replicas: 1 });
        Membership { charter, founding: false }
    }

    async fn vote(stores: &dyn Stores) {
        let vote = Vote { term: 1, node: 1, committed: false };
        durably(|done| stores.log(GroupId(1)).unwrap().save_vote(vote, done)).await.unwrap();
    }

    async fn append(stores: &dyn Stores, entries: u64) {
        let blank = |index| LogEntry { at: LogPosition { term: 1, index }, payload: Payload::Blank };
        let entries = (0..entries).map(blank).collect();
        durably(|done| stores.log(GroupId(1)).unwrap().append(entries, done)).await.unwrap();
    }

    #[tokio::test]
    async fn a_life_that_took_part_goes_on_with_numbers_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let life = Life::begin(stores(&folder), 5).await.unwrap();
        assert_eq!((life.incarnation(), life.first_number(), life.membership()), (5, 0, None));
        life.join(&membership()).await.unwrap();
        append(&*life.stores, 2).await;
        drop(life);
        for restarts in 1..3 {
            let life = Life::begin(stores(&folder), 9).await.unwrap();
            assert_eq!((life.incarnation(), life.first_number()), (5, restarts * NUMBERS));
            assert_eq!(life.membership(), Some(membership()));
        }
    }

    #[tokio::test]
    async fn a_life_of_which_nothing_came_ends_with_its_process() {
        let folder = tempfile::tempdir().unwrap();
        for (incarnation, founded) in [(5, false), (6, true), (7, true)] {
            let life = Life::begin(stores(&folder), 5).await.unwrap();
            assert_eq!((life.incarnation(), life.membership()), (incarnation, None), "the clock stands still");
            if founded {
                life.join(&membership()).await.unwrap();
                // The entry with which every founder begins.
                append(&*life.stores, 1).await;
            }
        }
    }

    #[tokio::test]
    async fn who_has_voted_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let life = Life::begin(stores(&folder), 5).await.unwrap();
        life.join(&membership()).await.unwrap();
        append(&*life.stores, 1).await;
        vote(&*life.stores).await;
        drop(life);
        assert_eq!(Life::begin(stores(&folder), 9).await.unwrap().incarnation(), 5);
    }

    #[tokio::test]
    async fn after_a_life_that_is_over_nothing_of_it_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let life = Life::begin(stores(&folder), 5).await.unwrap();
        life.join(&membership()).await.unwrap();
        append(&*life.stores, 9).await;
        vote(&*life.stores).await;
        life.end().await.unwrap();
        drop(life);
        let life = Life::begin(stores(&folder), 9).await.unwrap();
        assert_eq!((life.incarnation(), life.membership()), (9, None));
        assert_eq!(life.stores.groups().unwrap(), []);
        assert_eq!(life.stores.log(GroupId(1)).unwrap().vote().unwrap(), None);
    }
}
