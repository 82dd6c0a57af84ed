//! Replies of many items on their way between nodes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::mpsc;

use super::exchange::{self, Entered, Exchange};
use crate::actor::{ReplyStream, StreamError};
use crate::base::NodeKey;
use crate::codec;

/// So many items of one stream are made ahead of its asker on another node, at most.
pub const STREAM_WINDOW: u32 = 32;

/// The items of a stream that leaves, encoded.
pub type Outflow = Pin<Box<dyn Stream<Item = Result<Vec<u8>, StreamError>> + Send>>;

/// No more replies of this node can be under way item by item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{max} replies of many items are on their way to other nodes already: ask again when some have ended")]
pub struct TooManyStreams {
    /// The limit.
    pub max: usize,
}

/// What comes of a stream of another node. If nothing comes any more and it has not ended, its node is lost.
#[derive(Debug)]
pub enum Flowing {
    /// An item, encoded.
    Item(Bytes),
    /// The last item was before this, or it broke off.
    End(Option<StreamError>),
}

/// A stream whose items come from another node.
pub(in crate::actor) struct Inflow {
    items: mpsc::Receiver<Flowing>,
    exchange: Arc<dyn Exchange>,
    from: NodeKey,
    stream: u64,
    /// How many items were taken for which no others were asked.
    taken: u32,
    over: bool,
}

/// How a stream is written into a reply.
#[derive(Serialize, Deserialize)]
struct Spring {
    node: NodeKey,
    stream: u64,
}

impl Inflow {
    fn new(exchange: Arc<dyn Exchange>, Spring { node: from, stream }: Spring) -> Self {
        // Room for the window and the end.
        let (sender, items) = mpsc::channel(STREAM_WINDOW as usize + 1);
        exchange.inflow(from, stream, sender);
        exchange.pull(from, stream, STREAM_WINDOW);
        Self { items, exchange, from, stream, taken: 0, over: false }
    }

    pub(in crate::actor) fn poll<T: DeserializeOwned>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, StreamError>>> {
        let flowing = std::task::ready!(self.items.poll_recv(cx));
        let bytes = match flowing {
            Some(Flowing::Item(bytes)) => bytes,
            Some(Flowing::End(end)) => {
                self.over = true;
                return Poll::Ready(end.map(Err));
            }
            None => {
                self.over = true;
                return Poll::Ready(Some(Err(StreamError::Lost)));
            }
        };
        self.taken += 1;
        if self.taken >= STREAM_WINDOW / 2 {
            self.exchange.pull(self.from, self.stream, std::mem::take(&mut self.taken));
        }
        let _inside = Entered::new(Some(Arc::clone(&self.exchange)));
        Poll::Ready(Some(codec::decode(&bytes).map_err(|error| {
            tracing::warn!(from = %self.from, %error, "an item of a reply cannot be read");
            StreamError::Unreadable
        })))
    }
}

impl Drop for Inflow {
    fn drop(&mut self) {
        if !self.over {
            self.exchange.abandon(self.from, self.stream);
        }
    }
}

/// Its items follow one by one, as the asker takes them. It is written into the reply to an ask of another node, and nowhere
/// else.
impl<T: Serialize + Send + 'static> Serialize for ReplyStream<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let leaving = exchange::leaving();
        let nowhere =
            "a stream of items is the reply to an ask of an actor: it is no part of a message, and no entity's reply";
        let (exchange, to, ask) = leaving.ok_or_else(|| S::Error::custom(nowhere))?;
        let encoded = |item: Result<T, StreamError>| {
            codec::encode(&item?).map_err(|error| {
                tracing::error!(%error, "an item of a reply cannot leave this node; the stream breaks off");
                StreamError::Unreadable
            })
        };
        let stream = exchange.outflow(to, ask, Box::pin(self.take().map(encoded))).map_err(S::Error::custom)?;
        Spring { node: exchange.node(), stream }.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned + Send + 'static> Deserialize<'de> for ReplyStream<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spring = Spring::deserialize(deserializer)?;
        let exchange = exchange::current();
        let exchange =
            exchange.ok_or_else(|| D::Error::custom("a stream can be read on behalf of a node only: not here"))?;
        Ok(Self::from_afar(Inflow::new(exchange, spring), Inflow::poll::<T>))
    }
}
