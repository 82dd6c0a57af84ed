//! The clients that this node can send to: those that are connected to it, and those whose frames came by way of another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::envelope::{Envelope, Relayed};
use super::news::News;
use super::{may_pass, outbox};
use crate::base::{NodeKey, StableMap};
use crate::cluster::limits::CLIENTS_MAX;
use crate::cluster::transport::{Lane, Links, Outbox};
use crate::cluster::{PeerEvent, SendFailure};
use crate::codec::encode;
use crate::wire::{Kind, Reason};

/// The clients that this node can send to.
pub(crate) struct Clients {
    table: Mutex<Table>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Table {
    /// Those that are connected to this node.
    here: StableMap<NodeKey, Arc<Served>>,
    /// Those that are connected to another.
    far: StableMap<NodeKey, Far>,
    /// Those that have left and may come back: the number of their leave.
    away: StableMap<NodeKey, u64>,
    leaves: u64,
}

/// A client that is connected to this node.
pub(super) struct Served {
    pub(super) nonce: u64,
    pub(super) outbox: Outbox,
    /// Ends the connection.
    pub(super) cut: CancellationToken,
    /// Whether frames of the client still count. Held while one is handed on: none follows when it has been cleared.
    pub(super) counts: Mutex<bool>,
    ended: CancellationToken,
}

/// A client that is connected to another node.
#[derive(Clone, Copy)]
struct Far {
    through: NodeKey,
    nonce: u64,
}

/// A connection that was let in.
pub(in crate::cluster) struct Admitted {
    pub(super) served: Arc<Served>,
    /// To be cancelled when the connection's reader has ended.
    pub(super) ended: CancellationToken,
    /// The connection that this one replaces. Its reader must have ended before that of this one begins.
    pub(super) before: Option<Arc<Served>>,
}

/// What a relayed frame says of its client's whereabouts.
pub(super) enum Came {
    /// The client is where it was.
    AsBefore,
    /// It has come to the node through which the frame came; `moved` if frames came from elsewhere before.
    Anew { moved: bool },
    /// It has gone elsewhere since.
    Late,
}

impl Served {
    /// Waits until its reader has ended.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Ends the connection. Nothing of it is handed on after this.
    fn end(&self) {
        self.cut.cancel();
        self.outbox.seal();
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Clients {
    pub(crate) fn new() -> Self {
        Self { table: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Whether there is a way to this client.
    pub(crate) fn is_known(&self, client: NodeKey) -> bool {
        let table = self.lock();
        table.here.contains_key(&client) || table.far.contains_key(&client)
    }

    /// Whether frames get to this client.
    pub(crate) fn is_linked(&self, client: NodeKey, linked: impl Fn(NodeKey) -> bool) -> bool {
        let through = {
            let table = self.lock();
            if table.here.contains_key(&client) {
                return true;
            }
            table.far.get(&client).map(|far| far.through)
        };
        through.is_some_and(linked)
    }

    /// Queues a frame for a client, from the node `me`.
    pub(crate) fn send(
        &self,
        (me, links): (NodeKey, &Links),
        to: NodeKey,
        kind: Kind,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), SendFailure> {
        match self.way(to).filter(|_| may_pass(kind)).ok_or(SendFailure::NotConnected)? {
            Way::Here(served) => served.outbox.push(Kind::RELAY, |out| Envelope::write(me, kind, out, encode)),
            Way::Through(Far { through, nonce }) => links
                .send(through, Lane::Bulk, Kind::RELAY, |out| Relayed::write((to, nonce), false, kind, out, encode)),
        }
    }

    /// Waits until there is room on the way to a client, or no way.
    pub(crate) async fn room(&self, links: &Links, to: NodeKey) {
        match self.way(to) {
            Some(Way::Here(served)) => served.outbox.room().await,
            Some(Way::Through(far)) => links.room(far.through).await,
            None => {}
        }
    }

    /// Tells every client that is connected what an event is to it. One that is too slow to be told loses its connection: it
    /// would go by what is no longer so.
    pub(crate) fn tell(&self, event: &PeerEvent, linked: impl Fn(NodeKey) -> bool) {
        let table = self.lock();
        if table.here.is_empty() {
            return;
        }
        let Some(news) = News::of(event, linked) else { return };
        table.here.values().for_each(|served| served.tell(&news));
    }

    /// Lets a connection in. Its first word is `news`, which is made so that what happens afterwards is told.
    pub(in crate::cluster) fn admit(
        &self,
        client: NodeKey,
        nonce: u64,
        news: impl FnOnce() -> News,
    ) -> Result<Admitted, Reason> {
        let mut table = self.lock();
        let late = |than: u64| nonce <= than;
        let (here, far) = (table.here.get(&client), table.far.get(&client));
        if here.is_some_and(|served| late(served.nonce)) || far.is_some_and(|far| late(far.nonce)) {
            return Err(Reason::StaleLink);
        }
        if here.is_none() && table.here.len() >= CLIENTS_MAX {
            return Err(Reason::TooManyClients { max: CLIENTS_MAX as u32 });
        }
        let (cut, ended) = (CancellationToken::new(), CancellationToken::new());
        let served = Arc::new(Served { nonce, outbox: outbox(), cut, counts: Mutex::new(true), ended: ended.clone() });
        served.tell(&news());
        let before = table.here.insert(client, served.clone());
        table.far.remove(&client);
        table.away.remove(&client);
        before.iter().for_each(|before| before.end());
        Ok(Admitted { served, ended, before })
    }

    /// A connection has ended. `true`: it was the client's newest, as far as this node knows.
    pub(super) fn release(&self, client: NodeKey, nonce: u64) -> bool {
        let mut table = self.lock();
        let newest = table.here.get(&client).is_some_and(|served| served.nonce == nonce);
        if newest && let Some(served) = table.here.remove(&client) {
            served.outbox.seal();
        }
        drop(table);
        self.changed.send_replace(());
        newest
    }

    /// A frame of a client came by way of the node `through`.
    pub(super) fn came(&self, client: NodeKey, nonce: u64, through: NodeKey) -> Came {
        let mut table = self.lock();
        if let Some(served) = table.here.get(&client) {
            if served.nonce >= nonce {
                return Came::Late;
            }
            let gone = table.here.remove(&client);
            table.far.insert(client, Far { through, nonce });
            drop(table);
            gone.iter().for_each(|served| served.end());
            return Came::Anew { moved: true };
        }
        match table.far.get(&client) {
            Some(far) if far.nonce == nonce && far.through == through => return Came::AsBefore,
            Some(far) if far.nonce >= nonce => return Came::Late,
            _ => {}
        }
        let moved = table.far.insert(client, Far { through, nonce }).is_some();
        table.away.remove(&client);
        Came::Anew { moved }
    }

    /// The connection with this number has ended, at the node `through`. `true`: it was the client's newest.
    pub(super) fn departed(&self, client: NodeKey, nonce: u64, through: NodeKey) -> bool {
        let mut table = self.lock();
        let newest = table.far.get(&client).is_some_and(|far| (far.nonce, far.through) == (nonce, through));
        if newest {
            table.far.remove(&client);
        }
        newest
    }

    /// The link to a node broke: there is no way to its clients, which are returned, in an order that a simulation repeats.
    pub(super) fn lost(&self, through: NodeKey) -> Vec<NodeKey> {
        let mut table = self.lock();
        let far = table.far.iter().filter(|(_, far)| far.through == through);
        let mut lost: Vec<_> = far.map(|(client, _)| *client).collect();
        lost.iter().for_each(|client| _ = table.far.remove(client));
        lost.sort_unstable();
        lost
    }

    /// There is no way to a client any more. Returns the number of this leave.
    pub(super) fn left(&self, client: NodeKey) -> u64 {
        let mut table = self.lock();
        table.leaves += 1;
        let leave = table.leaves;
        table.away.insert(client, leave);
        leave
    }

    /// Whether a client has not come back since it left. It is forgotten then.
    pub(super) fn forget(&self, client: NodeKey, leave: u64) -> bool {
        let mut table = self.lock();
        let away = table.away.get(&client) == Some(&leave);
        if away {
            table.away.remove(&client);
        }
        away
    }

    /// The connection of a client to this node, if it is the one with this number.
    pub(super) fn served(&self, client: NodeKey, nonce: u64) -> Option<Arc<Served>> {
        self.lock().here.get(&client).filter(|served| served.nonce == nonce).cloned()
    }

    /// Lets every connection be written to its end.
    pub(crate) fn seal(&self) {
        self.lock().here.values().for_each(|served| served.outbox.seal());
    }

    /// Waits until no client is connected.
    pub(crate) async fn until_none(&self) {
        let mut changed = self.changed.subscribe();
        while !self.lock().here.is_empty() {
            // The sender lives as long as `self`.
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn way(&self, client: NodeKey) -> Option<Way> {
        let table = self.lock();
        match table.here.get(&client) {
            Some(served) => Some(Way::Here(served.clone())),
            None => table.far.get(&client).copied().map(Way::Through),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Way {
    Here(Arc<Served>),
    Through(Far),
}

impl Served {
    fn tell(&self, news: &News) {
        let Ok(news) = encode(news) else { return };
        if let Err(error) = self.outbox.push(Kind::NEWS, |out| out.extend_from_slice(&news)) {
            tracing::debug!(%error, "a client cannot be told what happens, and is let go");
            self.cut.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: NodeKey = NodeKey(1);
    const NODES: [NodeKey; 2] = [NodeKey(2), NodeKey(3)];

    fn admit(clients: &Clients, nonce: u64) -> Result<Admitted, Reason> {
        clients.admit(CLIENT, nonce, || News::All { members: Vec::new(), linked: Vec::new() })
    }

    #[test]
    fn a_client_is_where_its_newest_connection_is() {
        let clients = Clients::new();
        assert!(matches!(clients.came(CLIENT, 1, NODES[0]), Came::Anew { moved: false }));
        assert!(matches!(clients.came(CLIENT, 1, NODES[0]), Came::AsBefore));
        assert!(matches!(clients.came(CLIENT, 2, NODES[1]), Came::Anew { moved: true }));
        assert!(matches!(clients.came(CLIENT, 1, NODES[0]), Came::Late), "it has gone since");
        assert!(!clients.departed(CLIENT, 1, NODES[0]), "and its end is late too");
        assert_eq!(clients.lost(NODES[0]), []);
        assert!(clients.is_linked(CLIENT, |node| node == NODES[1]));
        assert_eq!(clients.lost(NODES[1]), [CLIENT]);
        assert!(!clients.is_known(CLIENT));
    }

    #[test]
    fn a_connection_is_replaced_by_a_newer_one_and_by_no_older() {
        let clients = Clients::new();
        let first = admit(&clients, 2).ok().unwrap();
        assert!(matches!(admit(&clients, 2), Err(Reason::StaleLink)));
        assert!(matches!(clients.came(CLIENT, 1, NODES[0]), Came::Late));
        let second = admit(&clients, 3).ok().unwrap();
        assert!(first.served.cut.is_cancelled() && !*first.served.counts.lock().unwrap());
        assert!(Arc::ptr_eq(&second.before.unwrap(), &first.served));
        assert!(!clients.release(CLIENT, 2) && clients.is_known(CLIENT));
        assert!(matches!(clients.came(CLIENT, 4, NODES[0]), Came::Anew { moved: true }));
        assert!(second.served.cut.is_cancelled(), "it has gone elsewhere, though its connection here stands");
        assert!(!clients.release(CLIENT, 3) && clients.is_known(CLIENT));
        assert!(matches!(admit(&clients, 4), Err(Reason::StaleLink)));
    }
}
