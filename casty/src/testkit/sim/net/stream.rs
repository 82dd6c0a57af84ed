//! One end of a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::network::Network;
use crate::cluster::Stream;

/// One end of a connection: the dialler's is 0, the acceptor's 1.
pub(super) struct SimStream {
    network: Arc<Network>,
    connection: u64,
    end: usize,
    shut: bool,
}

impl SimStream {
    pub(super) fn new(network: Arc<Network>, connection: u64, end: usize) -> Self {
        Self { network, connection, end, shut: false }
    }

    /// Says that no more bytes come from here.
    fn shut_down(&mut self) {
        if std::mem::replace(&mut self.shut, true) {
            return;
        }
        let (now, mut state) = (self.network.clock.now(), self.network.lock());
        let Some(connection) = state.connections.get(&self.connection) else { return };
        let (from, to) = (connection.pipes[self.end].from, connection.pipes[self.end].to);
        if state.dark.contains(&from) || connection.pipes[self.end].is_ending() {
            return;
        }
        let due = state.due(now, from, to);
        if let Some(connection) = state.connections.get_mut(&self.connection) {
            connection.pipes[self.end].end(due);
        }
    }
}

impl Stream for SimStream {}

impl AsyncRead for SimStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.network.lock().connections.get_mut(&self.connection) {
            Some(connection) => connection.pipes[1 - self.end].poll_read(cx, into),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (now, mut state) = (self.network.clock.now(), self.network.lock());
        let Some(connection) = state.connections.get(&self.connection) else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let (from, to) = (connection.pipes[self.end].from, connection.pipes[self.end].to);
        let due = state.due(now, from, to);
        match state.connections.get_mut(&self.connection) {
            Some(connection) => connection.pipes[self.end].poll_write(cx, bytes, due),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down();
        Poll::Ready(Ok(()))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.shut_down();
        if let Some(connection) = self.network.lock().connections.get_mut(&self.connection) {
            connection.left[self.end] = true;
        }
    }
}
