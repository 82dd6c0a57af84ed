//! A connection that is about to be made.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::links::Host;
use super::network::{Network, State};
use super::stream::SimStream;

/// A connection that is about to be made. It needs both directions of the link.
pub(super) struct Dial {
    from: Host,
    /// `None` if there is no such host.
    to: Option<Host>,
    address: String,
    due: Duration,
    outcome: Option<io::Result<u64>>,
    waiting: Option<Waker>,
}

impl State {
    /// Ends the dials whose time has come and whose links are whole; the others wait.
    pub(super) fn finish_dials(&mut self, now: Duration) {
        let mut dials = std::mem::take(&mut self.dials);
        for dial in dials.values_mut().filter(|dial| dial.due <= now && dial.outcome.is_none()) {
            let passes = |to| self.links.is_open(dial.from, to) && self.links.is_open(to, dial.from);
            match dial.to {
                Some(to) if !passes(to) || self.dark.contains(&to) => {}
                _ => {
                    dial.outcome = Some(self.connect(dial.from, &dial.address));
                    dial.waiting.take().into_iter().for_each(Waker::wake);
                }
            }
        }
        self.dials = dials;
    }
}

/// The future of a dial.
pub(super) struct Dialling {
    network: Arc<Network>,
    number: u64,
}

impl Dialling {
    pub(super) fn new(network: Arc<Network>, from: Host, address: &str) -> Self {
        let mut state = network.lock();
        let number = state.number();
        let to = host_of(address);
        let now = network.clock.now();
        let due = to.map_or(now, |to| {
            let there = state.due(now, from, to);
            state.due(there, to, from)
        });
        let dial = Dial { from, to, address: address.to_owned(), due, outcome: None, waiting: None };
        state.dials.insert(number, dial);
        drop(state);
        Self { network, number }
    }
}

impl Future for Dialling {
    type Output = io::Result<SimStream>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.network.lock();
        let Some(dial) = state.dials.get_mut(&self.number) else { return Poll::Pending };
        let Some(outcome) = dial.outcome.take() else {
            dial.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        };
        state.dials.remove(&self.number);
        drop(state);
        Poll::Ready(outcome.map(|connection| SimStream::new(self.network.clone(), connection, 0)))
    }
}

impl Drop for Dialling {
    fn drop(&mut self) {
        let mut state = self.network.lock();
        // A connection that was made and is not wanted is closed.
        let made = state.dials.remove(&self.number).and_then(|dial| dial.outcome?.ok());
        if let Some(connection) = made {
            drop(state);
            drop(SimStream::new(self.network.clone(), connection, 0));
        }
    }
}

/// The name of a host, by its number.
pub(in crate::testkit::sim) fn host_name(host: Host) -> String {
    format!("node-{host}")
}

/// The number of the host in an address.
fn host_of(address: &str) -> Option<Host> {
    address.rsplit_once(':')?.0.strip_prefix("node-")?.parse().ok()
}
