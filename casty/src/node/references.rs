//! References that are carried by other means than messages.

use super::Node;
use crate::actor::ActorRef;
use crate::actor::remote::Addressed;
use crate::codec::{DecodeError, EncodeError, decode, encode};

impl Node {
    /// The address of an actor as bytes, for other nodes of the cluster: [`import`](Self::import) makes a reference of them.
    ///
    /// A reference that is a field of a message needs neither. Either way the actor can be called from other nodes from then
    /// on, and does not stop for want of references; [`ActorRef`] has the whole of it.
    pub fn export<A: Addressed>(&self, actor: &ActorRef<A>) -> Result<Vec<u8>, EncodeError> {
        encode(actor)
    }

    /// The reference to an actor that a node of this cluster has [exported](Self::export). It says nothing of whether the
    /// actor lives: an ask tells.
    pub fn import<A: Addressed>(&self, address: &[u8]) -> Result<ActorRef<A>, DecodeError> {
        let _inside = self.env().enter();
        decode(address)
    }
}
