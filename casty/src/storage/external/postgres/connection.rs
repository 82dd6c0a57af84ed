//! A connection to PostgreSQL: how it is made, and that it ends.

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket};

use super::table;
use crate::base::BoxError;

/// How long it may take to connect, and to see that the table is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection. It ends when this is dropped.
pub(super) struct Connection {
    pub(super) client: Client,
    task: JoinHandle<()>,
}

/// Makes connections to one database.
pub(super) struct Connector {
    settings: Config,
    open: Box<dyn Fn(Config) -> BoxFuture<'static, Result<Connection, Error>> + Send + Sync>,
}

impl Connector {
    /// Connections of these settings.
    pub(super) fn new<T>(settings: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket, Stream: Send, TlsConnect: Send> + Clone + Send + Sync + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let open = move |settings: Config| {
            let tls = tls.clone();
            async move {
                let (client, link) = settings.connect(tls).await?;
                // The client hears of its end by itself.
                let task = tokio::spawn(link.map(drop));
                Ok(Connection { client, task })
            }
            .boxed()
        };
        Self { settings, open: Box::new(open) }
    }

    /// A connection that is ready for use.
    pub(super) async fn connect(&self) -> Result<Connection, BoxError> {
        let connecting = async {
            let connection = (self.open)(self.settings.clone()).await.map_err(|error| self.told(&error))?;
            table::prepare(&connection.client).await.map_err(|error| self.told(&*error))?;
            Ok(connection)
        };
        timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| {
            Err(format!("{self}: it does not answer within {CONNECT_TIMEOUT:?}: is it up, and reached from here?")
                .into())
        })
    }

    /// An error, and the database that it came from.
    pub(super) fn told(&self, error: &dyn std::error::Error) -> BoxError {
        // The library says what happened in the source, where there is one.
        let why = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        format!("{self}: {why}").into()
    }
}

impl fmt::Display for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.settings.get_dbname().or(self.settings.get_user()).unwrap_or("?");
        let hosts = self.settings.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        });
        write!(f, "the database `{database}` of PostgreSQL at {}", hosts.collect::<Vec<_>>().join(", "))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}
