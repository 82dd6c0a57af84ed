//! The clients that this node can send to: those that are connected to it, and those whose frames came by way of another.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::envelope::{Envelope, Relayed};
use super::news::News;
use super::{may_pass, outbox};
use crate::base::{NodeKey, StableMap};
use crate::cluster::SendFailure;
use crate::cluster::limits::{CLIENTS_KNOWN_MAX, CLIENTS_MAX};
use crate::cluster::transport::{Lane, Links, Outbox};
use crate::codec::encode;
use crate::wire::{Kind, Reason};

/// The clients that this node can send to.
///
/// Two locks for each: whoever tells the layers above something of a client (a frame, that its link is up or down) holds its
/// *turn* meanwhile, so that they hear of one client one thing after the other; whoever asks where it is takes its *place*
/// for a moment. They may be asked for in this order, and nothing is told with the place in hand.
pub(crate) struct Clients {
    table: Mutex<StableMap<NodeKey, Arc<Client>>>,
    changed: watch::Sender<()>,
}

/// One client, for as long as it is not gone.
#[derive(Default)]
pub(super) struct Client {
    turn: Mutex<()>,
    place: Mutex<Place>,
}

#[derive(Default)]
struct Place {
    /// The number of its newest connection that counts. It is kept while the client is away: earlier ones stay late.
    nonce: u64,
    way: Option<Way>,
    /// How often it has left.
    leaves: u64,
    /// It is gone, and forgotten: another entry takes its place if it comes again.
    gone: bool,
}

/// How frames get to a client.
#[derive(Clone)]
enum Way {
    Here(Arc<Served>),
    Through(NodeKey),
}

/// A client's connection to this node.
pub(in crate::cluster) struct Served {
    pub(super) nonce: u64,
    pub(super) outbox: Outbox,
    /// Ends the connection.
    pub(super) cut: CancellationToken,
    /// Held while news are put into the outbox: the first has to be the first.
    news: Mutex<()>,
}

/// What came of a word about a client's whereabouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// The client is where it was.
    AsBefore,
    /// It has come by another connection; `moved` if there was a way to it before.
    Anew { moved: bool },
    /// It has a newer connection already.
    Late,
}

/// The turn of one client.
pub(super) struct Turn<'a> {
    client: &'a Client,
    _held: MutexGuard<'a, ()>,
}

impl Served {
    fn new(nonce: u64) -> Self {
        Self { nonce, outbox: outbox(), cut: CancellationToken::new(), news: Mutex::default() }
    }

    /// Ends the connection.
    pub(super) fn end(&self) {
        self.cut.cancel();
        self.outbox.seal();
    }

    /// Puts news in line. A client that is too slow to be told loses its connection: it would go by what is no longer so.
    fn tell(&self, news: impl FnOnce() -> Vec<u8>) {
        let _held = self.news.lock();
        let news = news();
        if let Err(error) = self.outbox.push(Kind::NEWS, |out| out.extend_from_slice(&news)) {
            tracing::debug!(%error, "a client cannot be told what happens, and is let go");
            self.cut.cancel();
        }
    }

    /// The first news. `hear` is asked when every later change is sure to be told.
    pub(super) fn begin(&self, hear: impl FnOnce() -> News) {
        self.tell(|| encode(&hear()).unwrap_or_default());
    }
}

impl Clients {
    pub(crate) fn new() -> Self {
        Self { table: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Whether this is a client that is not gone, though there may be no way to it at the moment.
    pub(crate) fn is_known(&self, client: NodeKey) -> bool {
        self.table.lock().contains_key(&client)
    }

    /// Whether frames get to this client.
    pub(crate) fn is_linked(&self, client: NodeKey, linked: impl Fn(NodeKey) -> bool) -> bool {
        match self.way(client) {
            Some((Way::Here(_), _)) => true,
            Some((Way::Through(node), _)) => linked(node),
            None => false,
        }
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
            (Way::Here(served), _) => served.outbox.push(Kind::RELAY, |out| Envelope::write(me, kind, out, encode)),
            (Way::Through(node), nonce) => {
                let write = |out: &mut Vec<u8>| Relayed::write((to, nonce), false, kind, out, encode);
                links.send(node, Lane::Bulk, Kind::RELAY, write)
            }
        }
    }

    /// Waits until there is room on the way to a client, or no way.
    pub(crate) async fn room(&self, links: &Links, to: NodeKey) {
        match self.way(to) {
            Some((Way::Here(served), _)) => served.outbox.room().await,
            Some((Way::Through(node), _)) => links.room(node).await,
            None => {}
        }
    }

    /// Ends the connection of a client to this node: it is of no use, and the client makes another.
    pub(crate) fn let_go(&self, client: NodeKey) {
        if let Some((Way::Here(served), _)) = self.way(client) {
            served.cut.cancel();
        }
    }

    /// Tells every client that is connected to this node.
    pub(super) fn tell(&self, news: &News) {
        let here = self.here();
        let Some(news) = (!here.is_empty()).then(|| encode(news).unwrap_or_default()) else { return };
        here.iter().for_each(|served| served.tell(|| news.clone()));
    }

    /// Lets a connection in, if the client has no newer one. It counts when it has [arrived](Self::arrived).
    pub(in crate::cluster) fn admit(&self, client: NodeKey, nonce: u64) -> Result<Arc<Served>, Reason> {
        let known = self.table.lock().get(&client).cloned();
        match known {
            Some(known) if nonce <= known.place.lock().nonce => Err(Reason::StaleLink),
            None if self.here().len() >= CLIENTS_MAX => Err(Reason::TooManyClients { max: CLIENTS_MAX as u32 }),
            _ => Ok(Arc::new(Served::new(nonce))),
        }
    }

    /// The entry of a client, a new one if there is none; `None` if there are too many.
    pub(super) fn enter(&self, client: NodeKey) -> Option<Arc<Client>> {
        let mut table = self.table.lock();
        match table.get(&client) {
            Some(known) => Some(known.clone()),
            None if table.len() >= CLIENTS_KNOWN_MAX => None,
            None => Some(table.entry(client).or_default().clone()),
        }
    }

    /// The entry of a client, if it is known.
    pub(super) fn known(&self, client: NodeKey) -> Option<Arc<Client>> {
        self.table.lock().get(&client).cloned()
    }

    /// The clients whose frames come by way of a node, in an order that a simulation repeats.
    pub(super) fn through(&self, node: NodeKey) -> Vec<NodeKey> {
        let table = self.table.lock();
        let through = |client: &Client| matches!(client.place.lock().way, Some(Way::Through(by)) if by == node);
        let mut all: Vec<_> = table.iter().filter(|(_, client)| through(client)).map(|(key, _)| *key).collect();
        all.sort_unstable();
        all
    }

    /// The connection of a client to this node, if it is the one with this number.
    pub(super) fn served(&self, client: NodeKey, nonce: u64) -> Option<Arc<Served>> {
        match self.way(client) {
            Some((Way::Here(served), of)) if of == nonce => Some(served),
            _ => None,
        }
    }

    /// Drops the entry of a client that is gone.
    pub(super) fn forget(&self, client: NodeKey) {
        self.table.lock().remove(&client);
    }

    /// A connection has ended.
    pub(super) fn ended(&self) {
        self.changed.send_replace(());
    }

    /// Lets every connection be written to its end.
    pub(crate) fn seal(&self) {
        self.here().iter().for_each(|served| served.outbox.seal());
    }

    /// Waits until no client is connected.
    pub(crate) async fn until_none(&self) {
        let mut changed = self.changed.subscribe();
        while !self.here().is_empty() {
            // The sender lives as long as `self`.
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn here(&self) -> Vec<Arc<Served>> {
        let table = self.table.lock();
        let here = table.values().filter_map(|client| match &client.place.lock().way {
            Some(Way::Here(served)) => Some(served.clone()),
            _ => None,
        });
        here.collect()
    }

    fn way(&self, client: NodeKey) -> Option<(Way, u64)> {
        let known = self.table.lock().get(&client).cloned()?;
        let place = known.place.lock();
        Some((place.way.clone()?, place.nonce))
    }
}

impl Client {
    /// Waits for the client's turn. `None`: it is gone, and has another entry if it came again.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        let turn = Turn { client: self, _held: self.turn.lock() };
        (!self.place.lock().gone).then_some(turn)
    }
}

impl Turn<'_> {
    /// The client has a connection to this node.
    pub(super) fn arrived(&self, served: &Arc<Served>) -> Came {
        self.come(served.nonce, Way::Here(served.clone()))
    }

    /// A frame came by way of a node.
    pub(super) fn came(&self, nonce: u64, through: NodeKey) -> Came {
        self.come(nonce, Way::Through(through))
    }

    fn come(&self, nonce: u64, way: Way) -> Came {
        let mut place = self.client.place.lock();
        if nonce == place.nonce && place.way.as_ref().is_some_and(|before| before.is_same(&way)) {
            return Came::AsBefore;
        }
        if nonce <= place.nonce {
            return Came::Late;
        }
        place.nonce = nonce;
        let before = place.way.replace(way);
        drop(place);
        if let Some(Way::Here(served)) = &before {
            served.end();
        }
        Came::Anew { moved: before.is_some() }
    }

    /// Whether a connection to this node is the newest.
    pub(super) fn is_at(&self, served: &Arc<Served>) -> bool {
        let at = Way::Here(served.clone());
        self.client.place.lock().way.as_ref().is_some_and(|way| way.is_same(&at))
    }

    /// A connection to this node has ended. The number of the client's leave, if it was its newest.
    pub(super) fn left(&self, served: &Arc<Served>) -> Option<u64> {
        self.leave(&Way::Here(served.clone()), Some(served.nonce))
    }

    /// A connection to another node has ended, or, where no number is given, the link to it. The number of the client's leave, if
    /// its frames came that way.
    pub(super) fn left_through(&self, through: NodeKey, nonce: Option<u64>) -> Option<u64> {
        self.leave(&Way::Through(through), nonce)
    }

    fn leave(&self, way: &Way, nonce: Option<u64>) -> Option<u64> {
        let mut place = self.client.place.lock();
        let is_there = place.way.as_ref().is_some_and(|at| at.is_same(way));
        if !is_there || nonce.is_some_and(|nonce| nonce != place.nonce) {
            return None;
        }
        place.way = None;
        place.leaves += 1;
        Some(place.leaves)
    }

    /// Whether the client has not come back since it left. From then on it is gone.
    pub(super) fn is_gone_since(&self, leave: u64) -> bool {
        let mut place = self.client.place.lock();
        place.gone = place.way.is_none() && place.leaves == leave;
        place.gone
    }
}

impl Way {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Here(one), Self::Here(other)) => Arc::ptr_eq(one, other),
            (Self::Through(one), Self::Through(other)) => one == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: NodeKey = NodeKey(1);
    const NODES: [NodeKey; 2] = [NodeKey(2), NodeKey(3)];

    fn came(clients: &Clients, nonce: u64, through: NodeKey) -> Came {
        clients.enter(CLIENT).unwrap().turn().unwrap().came(nonce, through)
    }

    #[test]
    fn a_client_is_where_its_newest_connection_is() {
        let clients = Clients::new();
        assert_eq!(came(&clients, 1, NODES[0]), Came::Anew { moved: false });
        assert_eq!(came(&clients, 1, NODES[0]), Came::AsBefore);
        assert_eq!(came(&clients, 2, NODES[1]), Came::Anew { moved: true });
        assert_eq!(came(&clients, 1, NODES[0]), Came::Late, "it has gone since");
        let client = clients.known(CLIENT).unwrap();
        let turn = client.turn().unwrap();
        assert_eq!(turn.left_through(NODES[0], Some(1)), None, "and its end is late too");
        assert_eq!((clients.through(NODES[0]), clients.through(NODES[1])), (vec![], vec![CLIENT]));
        assert!(clients.is_linked(CLIENT, |node| node == NODES[1]));
        assert_eq!(turn.left_through(NODES[1], None), Some(1));
        assert!(clients.is_known(CLIENT) && !clients.is_linked(CLIENT, |_| true), "it may come back");
    }

    #[test]
    fn a_connection_is_replaced_by_a_newer_one_and_by_no_older() {
        let clients = Clients::new();
        let first = clients.admit(CLIENT, 2).ok().unwrap();
        let client = clients.enter(CLIENT).unwrap();
        let turn = client.turn().unwrap();
        assert_eq!(turn.arrived(&first), Came::Anew { moved: false });
        assert!(matches!(clients.admit(CLIENT, 2), Err(Reason::StaleLink)));
        assert_eq!(turn.came(1, NODES[0]), Came::Late);
        let second = clients.admit(CLIENT, 3).ok().unwrap();
        assert!(turn.is_at(&first), "a connection on which nothing came may have been given up");
        assert_eq!(turn.arrived(&second), Came::Anew { moved: true });
        assert!(first.cut.is_cancelled() && turn.is_at(&second));
        assert_eq!(turn.left(&first), None);
        assert_eq!(turn.came(4, NODES[0]), Came::Anew { moved: true });
        assert!(second.cut.is_cancelled(), "it has gone elsewhere, though its connection here stands");
        assert_eq!(turn.left(&second), None);
        let third = clients.admit(CLIENT, 5).ok().unwrap();
        assert_eq!(turn.arrived(&third), Came::Anew { moved: true }, "from another node to this one");
    }

    #[test]
    fn a_client_is_gone_unless_it_has_come_back_and_until_then_its_earlier_connections_are_late() {
        let clients = Clients::new();
        came(&clients, 2, NODES[0]);
        let client = clients.known(CLIENT).unwrap();
        let turn = client.turn().unwrap();
        let first = turn.left_through(NODES[0], None).unwrap();
        assert_eq!(turn.came(1, NODES[1]), Came::Late);
        assert_eq!(turn.came(3, NODES[1]), Came::Anew { moved: false });
        assert!(!turn.is_gone_since(first));
        let second = turn.left_through(NODES[1], Some(3)).unwrap();
        assert!(!turn.is_gone_since(first) && turn.is_gone_since(second));
        drop(turn);
        assert!(client.turn().is_none());
    }

    #[test]
    fn a_node_serves_a_bounded_number_of_clients() {
        let clients = Clients::new();
        let arrive = |client: u64| {
            let served = clients.admit(NodeKey(client), 1)?;
            clients.enter(NodeKey(client)).unwrap().turn().unwrap().arrived(&served);
            Ok(())
        };
        (0..CLIENTS_MAX as u64).for_each(|client| assert_eq!(arrive(client), Ok(())));
        assert_eq!(arrive(u64::MAX), Err(Reason::TooManyClients { max: CLIENTS_MAX as u32 }));
        assert!(clients.admit(NodeKey(7), 2).is_ok(), "one that was there comes again");
    }
}
