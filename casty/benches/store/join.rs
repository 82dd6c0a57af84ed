//! What a node that joins a large group costs the other groups of both nodes.
//!
//! Two nodes in this process, each with a file, replicate some groups, whose writes both have to store. The first alone
//! has a large group, which the second joins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use casty::base::NodeKey;
use casty::raft::{Group, Host, Links, Machine, MachineSnapshot, RaftSettings, RosterChange};
use casty::storage::{Change, DiskStores, StagedRows, StateStore, Stores};
use casty::{BoxError, GroupId};
use tokio::sync::mpsc;

use super::{megabytes, open};

const ROW_BYTES: usize = 1_000;
/// Rows of a command.
const AT_ONCE: u64 = 1_000;
const SMALL: u16 = 4;
const LARGE: GroupId = GroupId(100);
/// Writes of a small group that are under way.
const IN_FLIGHT: usize = 16;
const ALONE: Duration = Duration::from_secs(15);

/// Both nodes, by their keys.
type Hosts = Arc<Mutex<HashMap<NodeKey, mpsc::UnboundedSender<(NodeKey, Bytes)>>>>;

struct Wires {
    me: NodeKey,
    hosts: Hosts,
}

impl Links for Wires {
    fn send(&self, to: NodeKey, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        let mut frame = Vec::new();
        encode(&mut frame);
        self.hosts.lock().unwrap().get(&to).is_some_and(|host| host.send((self.me, frame.into())).is_ok())
    }

    fn is_up(&self, _: NodeKey) -> bool {
        true
    }
}

/// A command is the first of so many rows, and how many there are.
struct Table(Box<dyn StateStore>);

impl Machine for Table {
    fn apply(&mut self, index: u64, command: &Bytes) -> Result<Bytes, BoxError> {
        let (first, count) = command.split_at(8);
        let (first, count) = (u64::from_be_bytes(first.try_into()?), u64::from_be_bytes(count[..8].try_into()?));
        for key in (first..first + count).map(u64::to_be_bytes) {
            self.0.write(&[Change::Put(&key, &[index as u8; ROW_BYTES])])?;
        }
        Ok(Bytes::new())
    }

    fn snapshot(&self) -> Result<MachineSnapshot, BoxError> {
        Ok(MachineSnapshot { head: Bytes::new(), rows: Some(self.0.freeze()?) })
    }

    fn stage(&self) -> Result<Option<Box<dyn StagedRows>>, BoxError> {
        Ok(Some(self.0.stage()?))
    }

    fn restore(&mut self, _: &[u8], rows: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
        Ok(rows.map_or(Ok(()), |rows| rows.adopt())?)
    }

    fn unsaved_bytes(&self) -> u64 {
        self.0.unsaved_bytes()
    }
}

fn host(hosts: &Hosts, key: NodeKey) -> Arc<Host> {
    let host = Host::new(key, Arc::new(Wires { me: key, hosts: hosts.clone() }), RaftSettings::default());
    let (sender, mut frames) = mpsc::unbounded_channel();
    hosts.lock().unwrap().insert(key, sender);
    let receiver: Weak<Host> = Arc::downgrade(&host);
    tokio::spawn(async move {
        while let Some((from, frame)) = frames.recv().await {
            let Some(host) = receiver.upgrade() else { return };
            host.receive(from, frame);
        }
    });
    host
}

async fn group(host: &Host, stores: &DiskStores, id: GroupId, voters: &[NodeKey]) -> Arc<Group> {
    let table = Box::new(Table(stores.state(id).unwrap()));
    host.open(id, stores.log(id).unwrap(), table, voters).await.unwrap()
}

fn command(first: u64, count: u64) -> Bytes {
    [first.to_be_bytes(), count.to_be_bytes()].concat().into()
}

async fn write(group: &Group, command: Bytes) {
    while group.write(command.clone()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(super) fn run() {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (NodeKey(1), NodeKey(2));
    let stores = [open(&folder.path().join("a"), "a"), open(&folder.path().join("b"), "b")];
    let hosts = Hosts::default();
    let nodes = [host(&hosts, a), host(&hosts, b)];
    let large = group(&nodes[0], &stores[0], LARGE, &[a]).await;
    let rows = megabytes() * 1_000_000 / ROW_BYTES as u64;
    let begun = Instant::now();
    for first in (0..rows).step_by(AT_ONCE as usize) {
        write(&large, command(first, AT_ONCE)).await;
    }
    println!("a group of {} MB is written in {:.1?}", megabytes(), begun.elapsed());
    // So that the log alone does not make a member of the other node.
    for number in 0.. {
        if large.status().purged.is_some() {
            break;
        }
        write(&large, command(0, 1)).await;
        if number % 500 == 0 {
            large.compact().await.unwrap();
        }
    }
    let written = Arc::new(AtomicU64::new(0));
    for id in (1..=SMALL).map(GroupId) {
        let leads = group(&nodes[0], &stores[0], id, &[a, b]).await;
        group(&nodes[1], &stores[1], id, &[a, b]).await;
        leads.campaign().await;
        for writer in 0..IN_FLIGHT as u64 {
            let (leads, written) = (leads.clone(), written.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    write(&leads, command(writer * 1_000 + number % 1_000, 1)).await;
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = rate(&written, tokio::time::sleep(ALONE)).await;
    let joined = group(&nodes[1], &stores[1], LARGE, &[]).await;
    let begun = Instant::now();
    let during = rate(&written, async {
        large.change(RosterChange::Learn(b)).await.unwrap();
        let all = large.status().applied;
        while joined.status().applied < all {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let took = begun.elapsed();
    let after = rate(&written, tokio::time::sleep(ALONE)).await;
    println!(
        "{SMALL} groups write {before:.0} a second before, {during:.0} while a node joins one of {} MB in {took:.1?}, and \
         {after:.0} after that: ratio {:.2}",
        megabytes(),
        (before + after) / 2.0 / during
    );
    // Writers go on until the process ends.
    folder.close().unwrap();
    std::process::exit(0);
}

/// How many writes a second there are while something goes on.
async fn rate(written: &AtomicU64, meanwhile: impl Future<Output = ()>) -> f64 {
    let (begun, first) = (Instant::now(), written.load(Ordering::Relaxed));
    meanwhile.await;
    (written.load(Ordering::Relaxed) - first) as f64 / begun.elapsed().as_secs_f64()
}
