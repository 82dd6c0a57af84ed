//! What a frame is about.

/// The kind of a frame: one byte, which tells the receiving side who reads the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// The first frame of each side: what it speaks.
    pub const PREFACE: Self = Self(1);
    /// The acceptor takes the link.
    pub const WELCOME: Self = Self(2);
    /// The acceptor does not take the link, and says why.
    pub const REFUSAL: Self = Self(3);
    /// An empty frame on an idle link, so that silence means trouble.
    pub const PING: Self = Self(4);
    /// The second frame of a dialler: who it is and what it wants.
    pub const HELLO: Self = Self(6);
    /// The acceptor does not believe that the dialler knows the secret, and says no more.
    pub const UNPROVEN: Self = Self(7);
    /// A frame of another kind, compressed. It comes only where both sides agreed on it.
    pub const COMPRESSED: Self = Self(8);
    /// A packet of the membership protocol.
    pub const GOSSIP: Self = Self(5);
    /// A frame of another kind on its way between a client and a node, by way of the node that the client is connected to.
    pub const RELAY: Self = Self(9);
    /// From a node to its clients: which nodes there are. From node to node: a client has gone.
    pub const NEWS: Self = Self(10);
    /// Consensus: votes, appends, snapshots.
    pub const RAFT: Self = Self(16);
    /// A message for an entity.
    pub const ENTITY: Self = Self(17);
    /// The reply to an earlier request.
    pub const REPLY: Self = Self(18);
    /// Sessions of routers, and redirects.
    pub const ROUTE: Self = Self(19);
    /// From node to node: bootstrap, names, leave.
    pub const NODE: Self = Self(20);
    /// Commands of replicated state machines, and what became of them.
    pub const MACHINE: Self = Self(21);
    /// Between a client and the node that it is connected to: what only nodes know.
    pub const DESK: Self = Self(22);
    /// A message for an actor.
    pub const CALL: Self = Self(24);
    /// The end of an ask.
    pub const ANSWER: Self = Self(25);
    /// A word about an actor: it is to stop, it has stopped, its messages were taken.
    pub const ACTOR: Self = Self(26);
    /// An item of a reply that has many.
    pub const ITEM: Self = Self(27);
    /// A message that was published on another node.
    pub const TOPIC: Self = Self(28);
}
