//! An address that is listened on.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::dial::host_name;
use super::network::Network;
use super::stream::SimStream;
use crate::cluster::{Listener, Stream};

/// An address that is listened on, for as long as this lives.
pub(super) struct SimListener {
    pub(super) network: Arc<Network>,
    pub(super) address: String,
    pub(super) port: u16,
}

impl Listener for SimListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, String)>> {
        poll_fn(|cx| {
            let mut state = self.network.lock();
            let Some(listening) = state.listeners.get_mut(&self.address) else {
                // The power went: nothing comes any more.
                return Poll::Pending;
            };
            let Some((connection, from)) = listening.backlog.pop_front() else {
                listening.waiting = Some(cx.waker().clone());
                return Poll::Pending;
            };
            drop(state);
            let stream = SimStream::new(self.network.clone(), connection, 1);
            Poll::Ready(Ok((Box::new(stream) as Box<dyn Stream>, format!("{}:0", host_name(from)))))
        })
        .boxed()
    }

    fn port(&self) -> io::Result<u16> {
        Ok(self.port)
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let listening = self.network.lock().listeners.remove(&self.address);
        // Who was not accepted yet is told.
        for (connection, _) in listening.into_iter().flat_map(|listening| listening.backlog) {
            drop(SimStream::new(self.network.clone(), connection, 1));
        }
    }
}
