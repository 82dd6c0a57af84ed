//! All hosts and connections of a simulation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::dial::Dial;
use super::links::{Host, Links};
use super::pipe::{Flight, Pipe};
use crate::testkit::sim::clock::SimClock;
use crate::testkit::sim::trace::Trace;

/// Connections that wait to be accepted at one address. More are refused.
const BACKLOG: usize = 128;

/// All hosts and connections of a simulation.
pub(in crate::testkit::sim) struct Network {
    pub(super) clock: Arc<SimClock>,
    trace: Arc<Trace>,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) rng: StdRng,
    pub(super) links: Links,
    /// Hosts without power: nothing leaves them, and nobody is told.
    pub(super) dark: BTreeSet<Host>,
    pub(super) listeners: BTreeMap<String, Listening>,
    pub(super) dials: BTreeMap<u64, Dial>,
    pub(super) connections: BTreeMap<u64, Connection>,
    next: u64,
}

/// An address that is listened on.
pub(super) struct Listening {
    pub(super) host: Host,
    pub(super) backlog: VecDeque<(u64, Host)>,
    pub(super) waiting: Option<Waker>,
}

/// A connection: the pipe from its dialler, and the one to it.
pub(super) struct Connection {
    pub(super) pipes: [Pipe; 2],
    /// Ends whose streams are gone.
    pub(super) left: [bool; 2],
}

impl Network {
    pub(in crate::testkit::sim) fn new(clock: Arc<SimClock>, trace: Arc<Trace>, seed: u64) -> Arc<Self> {
        let state = State {
            rng: StdRng::seed_from_u64(seed),
            links: Links::default(),
            dark: BTreeSet::new(),
            listeners: BTreeMap::new(),
            dials: BTreeMap::new(),
            connections: BTreeMap::new(),
            next: 0,
        };
        Arc::new(Self { clock, trace, state: Mutex::new(state) })
    }

    /// From now on these links stand between the hosts.
    pub(in crate::testkit::sim) fn set_links(&self, links: Links) {
        self.lock().links = links;
    }

    /// Breaks every connection between two hosts.
    pub(in crate::testkit::sim) fn break_connections(&self, a: Host, b: Host) {
        for connection in self.lock().connections.values_mut() {
            let [pipe, _] = &connection.pipes;
            if [(a, b), (b, a)].contains(&(pipe.from, pipe.to)) {
                connection.break_off();
            }
        }
    }

    /// The process of a host was killed: its system ends every connection that it had.
    ///
    /// It has to be called before the process is dropped. That drops the streams too, and in an order that depends on
    /// what else ran in this process of ours before.
    pub(in crate::testkit::sim) fn end_process(&self, host: Host) {
        let (now, mut state) = (self.clock.now(), self.lock());
        let State { rng, links, connections, .. } = &mut *state;
        for Connection { pipes, left } in connections.values_mut() {
            for (pipe, left) in pipes.iter_mut().zip(left) {
                if pipe.from == host && !*left && !pipe.is_ending() {
                    pipe.end(now + links.latency(pipe.from, pipe.to, rng));
                }
            }
        }
    }

    /// The power of a host fails: what it had open is gone, and nobody hears of it.
    pub(in crate::testkit::sim) fn power_off(&self, host: Host) {
        let mut state = self.lock();
        state.dark.insert(host);
        state.listeners.retain(|_, listening| listening.host != host);
    }

    /// The host has power again, and remembers no connection: who still sends on one is told.
    pub(in crate::testkit::sim) fn power_on(&self, host: Host) {
        self.lock().dark.remove(&host);
    }

    /// Brings to its end what is due by now.
    pub(in crate::testkit::sim) fn deliver(&self) {
        let (now, mut state) = (self.clock.now(), self.lock());
        state.finish_dials(now);
        let State { links, dark, connections, .. } = &mut *state;
        for (id, connection) in connections.iter_mut() {
            for direction in 0..2 {
                let (from, to) = connection.way(direction);
                if connection.pipes[direction].is_flying() && links.is_open(from, to) && !dark.contains(&to) {
                    self.land(*id, connection, direction, now);
                }
            }
        }
        connections.retain(|_, connection| connection.left != [true, true] || connection.is_flying());
    }

    fn land(&self, id: u64, connection: &mut Connection, direction: usize, now: Duration) {
        while let Some(flight) = connection.pipes[direction].land(now) {
            let (what, bytes) = match &flight {
                Flight::Bytes(bytes) => (b"bytes", bytes.as_slice()),
                Flight::End => (b"ended", &[][..]),
            };
            self.trace.event(&[what, &id.to_le_bytes(), &[direction as u8], bytes]);
            match flight {
                // Nobody reads there any more: the host says so.
                Flight::Bytes(_) if connection.left[1 - direction] => return connection.break_off(),
                flight => connection.pipes[direction].arrive(flight),
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// A number for something new.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// When what leaves now arrives.
    pub(super) fn due(&mut self, now: Duration, from: Host, to: Host) -> Duration {
        now + self.links.latency(from, to, &mut self.rng)
    }

    /// Makes a connection to an address, if somebody listens there.
    pub(super) fn connect(&mut self, from: Host, address: &str) -> io::Result<u64> {
        let id = self.number();
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let listening = self.listeners.get_mut(address).filter(|listening| listening.backlog.len() < BACKLOG);
        let listening = listening.ok_or_else(refused)?;
        listening.backlog.push_back((id, from));
        if let Some(waker) = listening.waiting.take() {
            waker.wake();
        }
        let to = listening.host;
        self.connections.insert(id, Connection { pipes: [Pipe::new(from, to), Pipe::new(to, from)], left: [false; 2] });
        Ok(id)
    }
}

impl Connection {
    /// From where to where a direction leads.
    fn way(&self, direction: usize) -> (Host, Host) {
        (self.pipes[direction].from, self.pipes[direction].to)
    }

    fn is_flying(&self) -> bool {
        self.pipes.iter().any(Pipe::is_flying)
    }

    pub(super) fn break_off(&mut self) {
        self.pipes.iter_mut().for_each(Pipe::break_off);
    }
}
