//! The network of a cluster, and each node's view of it.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use casty::cluster::{Kind, Listener, Net, Stream, TcpNet};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::gate::Gate;
use super::pace::Pace;
use super::stream::FaultStream;

/// The gates of a cluster: one for each node that sends, and the address that it sends to.
type Gates = HashMap<(usize, String), Arc<Gate>>;

/// The network of a cluster. Each node dials each other one, so what a node sends is held at its own side.
#[derive(Clone, Default)]
pub struct Network {
    gates: Arc<Mutex<Gates>>,
    /// Bytes that each connection sends a tick.
    pace: Arc<AtomicUsize>,
}

/// The network as one node sees it.
pub struct FaultNet {
    node: usize,
    network: Network,
}

impl Network {
    /// The network as node number `node` sees it.
    pub fn of(&self, node: usize) -> Arc<FaultNet> {
        Arc::new(FaultNet { node, network: self.clone() })
    }

    /// From now on nothing that `node` sends arrives at `to`. Nothing is lost unless the nodes give their links up.
    pub fn cut(&self, node: usize, to: &str) {
        self.gate(node, to).cut();
    }

    /// Breaks the connections that `node` has made to `to`.
    pub fn sever(&self, node: usize, to: &str) {
        self.gate(node, to).sever();
    }

    /// From now on frames of this kind from `node` to `to` wait, and all others pass.
    pub fn hold(&self, node: usize, to: &str, kind: Kind) {
        self.gate(node, to).hold(kind);
    }

    /// From now on each connection sends so many bytes a second and no more.
    pub fn slow_down(&self, bytes_a_second: usize) {
        self.pace.store(Pace::a_tick(bytes_a_second), Ordering::Relaxed);
    }

    /// Everything passes again, first what has waited.
    pub fn heal(&self) {
        for gate in self.gates.lock().unwrap_or_else(PoisonError::into_inner).values() {
            gate.open();
        }
    }

    fn gate(&self, node: usize, to: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry((node, to.to_owned())).or_default().clone()
    }
}

impl Net for FaultNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        TcpNet.bind(addr)
    }

    /// A connection across a cut is not made before the cut is healed.
    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let (gate, pace) = (self.network.gate(self.node, addr), Pace::new(self.network.pace.clone()));
        async move {
            poll_fn(|cx| gate.poll_open(cx)).await;
            let stream = TcpNet.connect(addr).await?;
            Ok(Box::new(FaultStream::new(stream, gate, pace)) as Box<dyn Stream>)
        }
        .boxed()
    }
}
