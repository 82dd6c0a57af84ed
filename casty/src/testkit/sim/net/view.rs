//! The network as one host sees it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::dial::{Dialling, host_name};
use super::links::Host;
use super::listener::SimListener;
use super::network::{Listening, Network};
use crate::cluster::{Listener, Net, Stream};

/// The network as one host sees it.
pub(in crate::testkit::sim) struct HostNet {
    network: Arc<Network>,
    host: Host,
}

impl HostNet {
    /// The port that every node listens on.
    const PORT: u16 = 7000;

    pub(in crate::testkit::sim) fn new(network: Arc<Network>, host: Host) -> Self {
        Self { network, host }
    }

    /// Where the node of a host listens.
    pub(in crate::testkit::sim) fn address(host: Host) -> String {
        format!("{}:{}", host_name(host), Self::PORT)
    }
}

impl Net for HostNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        async move {
            let port = addr.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            let port = port.ok_or(io::ErrorKind::InvalidInput)?;
            let mut state = self.network.lock();
            if state.listeners.contains_key(addr) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            let listening = Listening { host: self.host, backlog: VecDeque::new(), waiting: None };
            state.listeners.insert(addr.to_owned(), listening);
            drop(state);
            let listener = SimListener { network: self.network.clone(), address: addr.to_owned(), port };
            Ok(Box::new(listener) as Box<dyn Listener>)
        }
        .boxed()
    }

    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let dialling = Dialling::new(self.network.clone(), self.host, addr);
        async move { Ok(Box::new(dialling.await?) as Box<dyn Stream>) }.boxed()
    }
}
