//! The task that has the connection: it takes what waits, and does it in two statements.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Error};

use super::connection::{Connection, Connector};
use super::table;
use crate::base::{Backoff, ThreadRng};
use crate::storage::EntityStoreError;
use crate::storage::external::jobs::{Job, Load, Save, TOGETHER_MAX, sorted};

/// How long a statement may take. The callers have given up by then.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The rows of one statement stay below this, in bytes, unless one alone is larger.
const STATEMENT_BYTES_MAX: usize = 8 << 20;

/// The shortest and the longest time between two attempts to connect.
const RECONNECTS: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));

/// The task.
pub(super) struct Worker {
    connector: Connector,
    connection: Option<Connection>,
    queue: mpsc::Receiver<Job>,
    reconnects: Backoff,
    /// Why there is no connection, and until when none is tried.
    failed: Option<(String, Instant)>,
}

impl Worker {
    /// Serves `queue` through a connection, and through others after it.
    pub(super) fn new(connector: Connector, connection: Connection, queue: mpsc::Receiver<Job>) -> Self {
        Self { connector, connection: Some(connection), queue, reconnects: RECONNECTS, failed: None }
    }

    /// Serves calls until all callers are gone.
    pub(super) async fn run(mut self) {
        let mut jobs = Vec::new();
        while self.queue.recv_many(&mut jobs, TOGETHER_MAX).await > 0 {
            let (loads, saves) = sorted(jobs.drain(..));
            self.load(loads).await;
            for saves in statements(saves) {
                self.save(saves).await;
            }
        }
    }

    /// Loads in one statement, or, if the database takes exception to it, each by itself.
    async fn load(&mut self, loads: Vec<Load>) {
        if loads.is_empty() {
            return;
        }
        match self.run_statement(async |client| table::load(client, &loads).await).await {
            Ok(mut stored) => {
                loads.into_iter().for_each(|load| drop(load.reply.send(Ok(stored.remove(&load.key)))));
            }
            Err(Failure::Refused(_)) if loads.len() > 1 => {
                for load in loads {
                    Box::pin(self.load(vec![load])).await;
                }
            }
            Err(Failure::Refused(why) | Failure::Unavailable(why) | Failure::Unknown(why)) => {
                let error = || EntityStoreError::unavailable(why.as_str());
                loads.into_iter().for_each(|load| drop(load.reply.send(Err(error()))));
            }
        }
    }

    /// Saves in one statement, or, if the database takes exception to it, each by itself.
    async fn save(&mut self, saves: Vec<Save>) {
        match self.run_statement(async |client| table::save(client, &saves).await).await {
            Ok(taken) => {
                for save in saves {
                    let saved = if taken.contains(&save.key) { Ok(()) } else { Err(EntityStoreError::Conflict) };
                    let _ = save.reply.send(saved);
                }
            }
            Err(Failure::Refused(_)) if saves.len() > 1 => {
                for save in saves {
                    Box::pin(self.save(vec![save])).await;
                }
            }
            Err(failure) => {
                let error = || match &failure {
                    Failure::Unknown(why) => EntityStoreError::unknown(why.as_str()),
                    Failure::Refused(why) | Failure::Unavailable(why) => EntityStoreError::unavailable(why.as_str()),
                };
                saves.into_iter().for_each(|save| drop(save.reply.send(Err(error()))));
            }
        }
    }

    /// Runs a statement, and judges what came of it.
    async fn run_statement<R>(
        &mut self,
        statement: impl AsyncFnOnce(&Client) -> Result<R, Error>,
    ) -> Result<R, Failure> {
        let connection = self.connected().await.map_err(Failure::Unavailable)?;
        let failure = match timeout(STATEMENT_TIMEOUT, statement(&connection.client)).await {
            Ok(Ok(result)) => {
                self.connection = Some(connection);
                return Ok(result);
            }
            Ok(Err(error)) => {
                let why = self.connector.told(&error).to_string();
                match error.as_db_error() {
                    // A server that takes no writes any more: its successor may be found by connecting again.
                    Some(told) if *told.code() == SqlState::READ_ONLY_SQL_TRANSACTION => Failure::Unavailable(why),
                    Some(told) if told.parsed_severity() == Some(Severity::Error) => {
                        self.connection = Some(connection);
                        Failure::Refused(why)
                    }
                    _ => Failure::Unknown(why),
                }
            }
            Err(_) => Failure::Unknown(format!("{}: no answer within {STATEMENT_TIMEOUT:?}", self.connector)),
        };
        Err(failure)
    }

    /// A connection: the one that there is, or another one.
    async fn connected(&mut self) -> Result<Connection, String> {
        if let Some(connection) = self.connection.take().filter(|connection| !connection.client.is_closed()) {
            return Ok(connection);
        }
        if let Some((why, _)) = self.failed.as_ref().filter(|(_, until)| Instant::now() < *until) {
            return Err(why.clone());
        }
        match self.connector.connect().await {
            Ok(connection) => {
                self.reconnects.reset();
                self.failed = None;
                Ok(connection)
            }
            Err(error) => {
                let until = Instant::now() + self.reconnects.next_delay(&mut ThreadRng);
                self.failed = Some((error.to_string(), until));
                Err(error.to_string())
            }
        }
    }
}

/// Why a statement brought nothing.
enum Failure {
    /// It did not get to the database.
    Unavailable(String),
    /// The database refused it, and undid it.
    Refused(String),
    /// It may have been carried out.
    Unknown(String),
}

/// Saves as they go into statements: of one entity only one in each, and not too many bytes.
fn statements(saves: Vec<Save>) -> Vec<Vec<Save>> {
    let (mut statements, mut keys, mut bytes) = (Vec::<Vec<Save>>::new(), BTreeSet::new(), 0);
    for save in saves {
        bytes += save.row.len();
        match statements.last_mut().filter(|_| bytes <= STATEMENT_BYTES_MAX && !keys.contains(&save.key)) {
            Some(statement) => {
                keys.insert(save.key.clone());
                statement.push(save);
            }
            None => {
                bytes = save.row.len();
                keys = BTreeSet::from([save.key.clone()]);
                statements.push(vec![save]);
            }
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::sync::oneshot;

    use super::*;
    use crate::storage::EntityKey;

    fn save((id, bytes): &(&str, usize)) -> Save {
        let key = EntityKey { entity_type: "account".into(), id: (*id).into() };
        Save { key, expected: 0, row: Bytes::from(vec![0; *bytes]), reply: oneshot::channel().0 }
    }

    fn ids(saves: &[(&str, usize)]) -> Vec<Vec<String>> {
        let statements = statements(saves.iter().map(save).collect());
        statements.iter().map(|saves| saves.iter().map(|save| save.key.id.to_string()).collect()).collect()
    }

    #[test]
    fn a_statement_has_one_save_of_an_entity_and_not_too_many_bytes() {
        assert_eq!(ids(&[("a", 1), ("b", 1), ("a", 1), ("b", 1)]), [["a", "b"], ["a", "b"]]);
        let large = STATEMENT_BYTES_MAX + 1;
        assert_eq!(ids(&[("a", 1), ("b", large), ("c", 1)]), [["a"], ["b"], ["c"]]);
        assert_eq!(ids(&[("a", 1), ("b", STATEMENT_BYTES_MAX - 1), ("c", 1)]), [vec!["a", "b"], vec!["c"]]);
    }
}
