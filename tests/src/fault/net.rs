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
use super::stream::{FaultStream, Way};

/// The gates of a cluster: one for each node that sends, and the address that it sends to.
type Gates = HashMap<(usize, String), Arc<Gate>>;

/// The network of a cluster. What two nodes send to each other is held where the one of them that dials sees it.
#[derive(Clone, Default)]
pub struct Network {
    gates: Arc<Mutex<Gates>>,
    /// Who listens at an address.
    listening: Arc<Mutex<HashMap<String, usize>>>,
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

    /// Breaks the connections between `node` and `to`.
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

    /// What passes back to `node` on a connection that it dials. Who does not listen has no gate of its own.
    fn gate_back(&self, node: usize, from: &str) -> Arc<Gate> {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let here = listening.iter().find(|(_, listener)| **listener == node).map(|(addr, _)| addr.clone());
        let back = listening.get(from).copied().zip(here);
        drop(listening);
        back.map(|(sender, here)| self.gate(sender, &here)).unwrap_or_default()
    }

    fn gate(&self, node: usize, to: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry((node, to.to_owned())).or_default().clone()
    }
}

impl Net for FaultNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        async move {
            let listener = TcpNet.bind(addr).await?;
            let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
            let mut listening = self.network.listening.lock().unwrap_or_else(PoisonError::into_inner);
            listening.retain(|_, node| *node != self.node);
            listening.insert(format!("{host}:{}", listener.port()?), self.node);
            Ok(listener)
        }
        .boxed()
    }

    /// A connection across a cut is not made before the cut is healed.
    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let (there, back) = (self.network.gate(self.node, addr), self.network.gate_back(self.node, addr));
        let way = |gate| Way::new(gate, Pace::new(self.network.pace.clone()));
        async move {
            for gate in [&there, &back] {
                poll_fn(|cx| gate.poll_open(cx)).await;
            }
            let stream = TcpNet.connect(addr).await?;
            Ok(Box::new(FaultStream::new(stream, way(there), way(back))) as Box<dyn Stream>)
        }
        .boxed()
    }
}
