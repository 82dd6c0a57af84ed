//! A way to a server of PostgreSQL that breaks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use casty_tests::postgres::settings;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{UnixListener, UnixStream};
use tokio::select;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// What the socket of a server is called, in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// A way to a server: what clients say always arrives, and what the server answers may be lost.
pub(crate) struct Wire {
    folder: TempDir,
    line: Arc<Line>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Line {
    /// Answers wait.
    held: watch::Sender<bool>,
    cut: Notify,
}

impl Wire {
    /// A way to the server whose socket is in this folder.
    pub(crate) fn to(server: &Path) -> Self {
        let (folder, line) = (TempDir::new().unwrap(), Arc::<Line>::default());
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let task = tokio::spawn(accept(listener, server.join(SOCKET), line.clone()));
        Self { folder, line, task }
    }

    /// How a client finds the server by this way.
    pub(crate) fn settings(&self) -> String {
        settings(self.folder.path())
    }

    /// From now on answers wait.
    pub(crate) fn hold(&self) {
        self.line.held.send_replace(true);
    }

    /// Breaks all connections, which loses the answers that wait. New connections are whole.
    pub(crate) fn cut(&self) {
        self.line.cut.notify_waiters();
        self.line.held.send_replace(false);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: UnixListener, server: PathBuf, line: Arc<Line>) {
    while let Ok((client, _)) = listener.accept().await {
        let server = UnixStream::connect(&server).await.unwrap();
        tokio::spawn(carry(client, server, line.clone()));
    }
}

async fn carry(client: UnixStream, server: UnixStream, line: Arc<Line>) {
    let cut = line.cut.notified();
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let answers = async {
        let (mut held, mut bytes) = (line.held.subscribe(), [0; 4096]);
        while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
            // The sender is as long-lived as this.
            let _ = held.wait_for(|held| !held).await;
            if to_client.write_all(&bytes[..read]).await.is_err() {
                break;
            }
        }
    };
    select! {
        biased;
        () = cut => {}
        () = answers => {}
        _ = copy(&mut from_client, &mut to_server) => {}
    }
}
