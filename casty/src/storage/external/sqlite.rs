//! Entities in a file of SQLite.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::jobs::{Job, Jobs, Save, TOGETHER_MAX, sorted};
use super::{EntityKey, EntityStore, EntityStoreError, StoredEntity};
use crate::base::BoxError;

/// How long a transaction waits for another process that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS casty_entities (
    entity_type TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    row BLOB NOT NULL,
    PRIMARY KEY (entity_type, id)
) STRICT";
const LOAD: &str = "SELECT revision, row FROM casty_entities WHERE entity_type = ?1 AND id = ?2";
const INSERT: &str = "INSERT INTO casty_entities VALUES (?1, ?2, ?3 + 1, ?4) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE casty_entities SET revision = ?3 + 1, row = ?4
    WHERE entity_type = ?1 AND id = ?2 AND revision = ?3";

/// An [`EntityStore`] in a file of SQLite, in the table `casty_entities`. Behind the feature `sqlite`.
///
/// It has a thread and a connection of its own; what is saved together shares one transaction. The file has a write-ahead log
/// and is synced before a save ends (`synchronous=FULL`). Nodes on one machine may share a file, each with a store of its own;
/// a file on a network is no place for it. It is cheap to clone.
///
/// ```no_run
/// use casty::storage::SqliteStore;
/// use casty::{ClusterConfig, Tls};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqliteStore::open("/var/lib/bank/entities.sqlite").await?;
/// let config = ClusterConfig::new("127.0.0.1:8001").tls(Tls::insecure()).entity_store("ledger", store);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore(Jobs);

impl SqliteStore {
    /// Opens the file, and makes it if there is none.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, EntityStoreError> {
        let (path, (jobs, queue), (tell, told)) = (path.into(), Jobs::new(), oneshot::channel());
        let began = thread::Builder::new().name("casty-sqlite".to_owned()).spawn(move || {
            let file = connect(&path);
            let opened = file.as_ref().map(drop).map_err(|error| unusable(&path, error));
            if tell.send(opened).is_ok() {
                run(&path, file.ok(), queue);
            }
        });
        began.map_err(EntityStoreError::unavailable)?;
        told.await.map_err(EntityStoreError::unavailable)??;
        Ok(Self(jobs))
    }
}

impl EntityStore for SqliteStore {
    fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>> {
        self.0.load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a EntityKey,
        expected: u64,
        row: Bytes,
    ) -> BoxFuture<'a, Result<(), EntityStoreError>> {
        self.0.save(key, expected, row)
    }
}

fn connect(path: &Path) -> Result<Connection, BoxError> {
    let file = Connection::open(path)?;
    file.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String = file.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(format!("it has no write-ahead log but `{mode}`: put it on a disk of this machine").into());
    }
    file.pragma_update(None, "synchronous", "full")?;
    file.execute(TABLE, [])?;
    Ok(file)
}

/// Serves calls until all callers are gone.
fn run(path: &Path, mut file: Option<Connection>, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while queue.blocking_recv_many(&mut jobs, TOGETHER_MAX) > 0 {
        let (loads, saves) = sorted(jobs.drain(..));
        let open = match file.take().map_or_else(|| connect(path), Ok) {
            Ok(open) => open,
            Err(error) => {
                loads.into_iter().for_each(|load| drop(load.reply.send(Err(unusable(path, &error)))));
                saves.into_iter().for_each(|save| drop(save.reply.send(Err(unusable(path, &error)))));
                continue;
            }
        };
        // First, and not within the transaction: what is read is committed.
        for load in loads {
            let loaded = read(&open, &load.key).map_err(|error| unusable(path, &error));
            let _ = load.reply.send(loaded);
        }
        file = write(path, open, saves);
    }
}

fn read(file: &Connection, key: &EntityKey) -> rusqlite::Result<Option<StoredEntity>> {
    let mut load = file.prepare_cached(LOAD)?;
    let stored = load.query_row(params![&*key.entity_type, key.id.as_str()], |row| {
        let (revision, bytes): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        Ok(StoredEntity { revision: revision.cast_unsigned(), row: bytes.into() })
    });
    stored.optional()
}

/// Saves rows, and gives the file back unless it has to be opened anew.
fn write(path: &Path, mut file: Connection, saves: Vec<Save>) -> Option<Connection> {
    if saves.is_empty() {
        return Some(file);
    }
    let (taken, committed) = match replace_all(&mut file, &saves) {
        Ok(ended) => ended,
        Err(error) => {
            // It was rolled back, or is when the file is closed.
            saves.into_iter().for_each(|save| drop(save.reply.send(Err(unusable(path, &error)))));
            return None;
        }
    };
    for (save, taken) in saves.into_iter().zip(taken) {
        let saved = match &committed {
            Ok(()) if taken => Ok(()),
            Ok(()) => Err(EntityStoreError::Conflict),
            Err(error) => Err(EntityStoreError::unknown(text(path, error))),
        };
        let _ = save.reply.send(saved);
    }
    committed.is_ok().then_some(file)
}

/// Replaces rows in one transaction. Says which had the expected revision, and whether the transaction was committed.
fn replace_all(file: &mut Connection, saves: &[Save]) -> rusqlite::Result<(Vec<bool>, rusqlite::Result<()>)> {
    let transaction = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken = saves.iter().map(|save| replace(&transaction, save)).collect::<rusqlite::Result<_>>()?;
    Ok((taken, transaction.commit()))
}

/// Replaces one row, if its revision is the expected one.
fn replace(file: &Connection, save: &Save) -> rusqlite::Result<bool> {
    let Ok(expected) = i64::try_from(save.expected) else { return Ok(false) };
    let mut statement = file.prepare_cached(if expected == 0 { INSERT } else { UPDATE })?;
    let row = params![&*save.key.entity_type, save.key.id.as_str(), expected, &*save.row];
    Ok(statement.execute(row)? == 1)
}

fn unusable(path: &Path, error: &impl Display) -> EntityStoreError {
    EntityStoreError::unavailable(text(path, error))
}

fn text(path: &Path, error: &impl Display) -> String {
    format!("{}: {error}", path.display())
}
