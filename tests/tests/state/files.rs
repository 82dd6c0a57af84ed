//! Rows that earlier versions of a program wrote, kept as files. A node that finds them in its stores reads all of them.

use std::io;
use std::sync::Arc;

use casty::GroupId;
use casty::actor::{OldState, state};
use casty::prelude::*;
use casty::sharding::{GROUPS_PER_NODE, shard_of, slot_of};
use casty::storage::{Change, LogStore, MemoryState, MemoryStores, StateStore, Stores};
use casty_tests::cluster::{Cluster, DEADLINE};

/// What `ledger.Account` was in version 1: `owner: String, euros: u64, color: String`, of the entities `first` and `1`.
const FIRST: &str = include_str!("files/account-1.hex");

/// In version 2: `owner: String, euros: u64, limit: u64`, of the entity `second`.
const SECOND: &str = include_str!("files/account-2.hex");

/// In version 3, which is today's: of the entity `third`.
const THIRD: &str = include_str!("files/account-3.hex");

/// In a version 4 that this program does not know: of the entity `fourth`.
const FOURTH: &str = include_str!("files/account-4.hex");

#[persistent(
    version = 3,
    default(limit = standard),
    renamed(holder = owner),
    removed(color),
    migrate(2 = cents),
    except(deposits)
)]
struct Account {
    holder: String,
    cents: u64,
    limit: u64,
    deposits: u64,
}

fn standard() -> u64 {
    500
}

fn cents(old: &mut OldState) -> Result<(), BoxError> {
    let euros: u64 = old.take("euros")?;
    old.put("cents", &(100 * euros))?;
    Ok(())
}

#[actor(name = "ledger.Account")]
impl Account {
    fn new(_: EntityId) -> Self {
        Self { holder: String::new(), cents: 0, limit: 0, deposits: 0 }
    }

    #[message]
    fn deposit(&mut self, cents: u64) -> u64 {
        (self.cents, self.deposits) = (self.cents + cents, self.deposits + 1);
        self.cents
    }

    #[message]
    fn sheet(&self) -> (String, u64, u64) {
        (self.holder.clone(), self.cents, self.limit)
    }
}

/// Stores whose tables begin with these rows, whatever the group: each reads those of its own entities.
pub(crate) struct Found(pub(crate) Vec<(Vec<u8>, Vec<u8>)>);

impl Stores for Found {
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        MemoryStores.log(group)
    }

    fn state(&self, _group: GroupId) -> io::Result<Box<dyn StateStore>> {
        let table = MemoryState::default();
        let rows: Vec<_> = self.0.iter().map(|(key, row)| Change::Put(key, row)).collect();
        table.write(&rows)?;
        Ok(Box::new(table))
    }
}

/// The group of an entity, in a cluster of three founders.
fn group_of(id: &str) -> GroupId {
    let slot = slot_of("account", shard_of(id, 100));
    GroupId(1 + (slot % (3 * GROUPS_PER_NODE as u32)) as u16)
}

/// The rows of a file: a line each, its key and its value.
fn rows(file: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bytes = |hex: &str| -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
        (0..hex.len()).step_by(2).map(byte).collect()
    };
    let row =
        |line: &str| line.split_once(' ').map(|(key, value)| (bytes(key), bytes(value))).expect("a key and a value");
    file.lines().map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_every_earlier_version_are_read() {
    let found = [FIRST, SECOND, THIRD, FOURTH].map(rows).concat();
    let stores = Arc::new(Found(found));
    let mut cluster = Cluster::start_with(3, |config| config.stores(stores.clone())).await;
    let all = cluster.sharded::<Account>("account").await;
    let accounts = &all[0];
    let sheet = async |id: &str| accounts.entity(id).sheet().await.unwrap();
    assert_eq!(sheet("first").await, ("alice".to_owned(), 1_200, 500));
    assert_eq!(sheet("1").await, (String::new(), 0, 500));
    assert_eq!(sheet("second").await, ("bob".to_owned(), 30_000, 250));
    assert_eq!(sheet("third").await, ("carol".to_owned(), 77, 500));
    // A write goes on from what was read.
    assert_eq!(accounts.entity("first").deposit(5).await.unwrap(), 1_205);
    assert_eq!(accounts.entity("second").deposit(5).await.unwrap(), 30_005);
    assert_eq!(sheet("first").await, ("alice".to_owned(), 1_205, 500));
    // What was written is whole: another node goes on with it.
    let leader = cluster.leader_of(group_of("first"), 0).await;
    let accounts = &all[cluster.other_than(&[leader])];
    cluster.crash(leader);
    let sheet = async |id: &str| accounts.entity(id).sheet().timeout(DEADLINE).await;
    assert_eq!(sheet("first").await.unwrap(), ("alice".to_owned(), 1_205, 500));
    // What a newer program stored is nobody's here, and is left as it is.
    let error = sheet("fourth").await.unwrap_err();
    assert!(matches!(&error, AskError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("older than the one that stored it"), "{error}");
}

#[test]
fn todays_program_writes_what_its_file_says() {
    let account = Account { holder: "carol".to_owned(), cents: 77, limit: 500, deposits: 9 };
    let (_, row) = &rows(THIRD)[0];
    assert!(
        row.ends_with(&state::save(&account).unwrap()),
        "the layout has changed: raise its version, and keep a file"
    );
}
