//! Replies that come one after the other.

use std::any::{Any, type_name};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

use crate::actor::Failure;
use crate::actor::remote::Inflow;

/// A reply of many items: the asker awaits one after the other, and nothing is made faster than it takes them.
///
/// ```
/// # use casty::prelude::*;
/// use casty::ReplyStream;
///
/// struct Ledger(Vec<u64>);
///
/// #[actor(local)]
/// impl Ledger {
///     #[message]
///     fn entries(&self, from: usize) -> ReplyStream<u64> {
///         ReplyStream::from_iter(self.0.clone().into_iter().skip(from))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let system = ActorSystem::new("bank");
/// # let ledger = system.spawn(Ledger(vec![5, 7, 9])).await?;
/// let mut entries = ledger.entries(1).await?;
/// while let Some(entry) = entries.next().await {
///     println!("{}", entry?);
/// }
/// # Ok(())
/// # }
/// ```
///
/// A handler replies at once, with a stream that the asker then polls ([`new`](Self::new)), or with the far end of a
/// [`channel`](Self::channel) whose near end the actor keeps, to send to it from later messages. The ask's own time
/// covers the arrival of the stream alone; [`item_timeout`](Self::item_timeout) gives each item a time of its own.
///
/// From an actor of another node the items follow one by one: at most 32 are made ahead of the asker, and when the link to
/// that node breaks the stream ends with [`StreamError::Lost`]. A stream is a reply, or a part of one; it cannot be a part of a
/// message, nor the reply of an entity, which is kept: such an ask ends with `Failed`.
#[must_use = "nothing comes of it until it is polled"]
pub struct ReplyStream<T>(Mutex<Inner<T>>);

/// Locked by who sends it to another node, and has only a reference to it.
struct Inner<T> {
    source: Source<T>,
    limit: Option<Limit>,
}

enum Source<T> {
    /// Polled by the asker.
    Pulled(Pin<Box<dyn Stream<Item = T> + Send>>),
    /// Filled by the actor.
    Pushed {
        items: mpsc::Receiver<T>,
        /// Set before the sender goes, if that is no accident.
        finished: Arc<AtomicBool>,
    },
    /// Filled by another node.
    Far(Box<Inflow>, PollFar<T>),
    Over,
}

/// Reads the next item of a stream of another node.
type PollFar<T> = fn(&mut Inflow, &mut Context<'_>) -> Poll<Option<Result<T, StreamError>>>;

/// How long the next item may take.
struct Limit {
    after: Duration,
    /// While an item is asked for.
    sleep: Option<Pin<Box<Sleep>>>,
}

/// Why a stream ended before its time. It is the stream's last item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// What makes the items panicked.
    #[error("the reply broke off: what makes its items panicked")]
    Failed,
    /// The actor stopped, restarted, or dropped its end without [`StreamSender::finish`].
    #[error("the reply broke off: the actor dropped its end before it was finished; ask again for the rest")]
    Interrupted,
    /// The next item did not come in time.
    #[error("the reply broke off: no item came within {after:?}; ask again for the rest, or allow more time")]
    Timeout {
        /// The time that was allowed.
        after: Duration,
    },
    /// The link to the actor's node broke, or the node is lost.
    #[error("the reply broke off: the link to the actor's node broke; ask again for the rest")]
    Lost,
    /// An item could not be encoded, or not be read by the asker's node.
    #[error("the reply broke off: an item could not be carried to another node; the log of both has more")]
    Unreadable,
}

impl<T: Send + 'static> ReplyStream<T> {
    /// The items of a stream, which the asker polls: each is made when it is wanted.
    pub fn new(stream: impl Stream<Item = T> + Send + 'static) -> Self {
        Self::of(Source::Pulled(Box::pin(stream)))
    }

    /// The items of an iterator.
    #[expect(clippy::should_implement_trait, reason = "collecting many items into a reply needs no trait")]
    pub fn from_iter(items: impl IntoIterator<Item = T, IntoIter: Send + 'static>) -> Self {
        Self::new(futures_util::stream::iter(items))
    }

    /// An end to send items with, and the reply that they come out of. At most `capacity`, and at least one, lie between them:
    /// then [`StreamSender::send`] waits for the asker.
    pub fn channel(capacity: usize) -> (StreamSender<T>, Self) {
        let (sender, items) = mpsc::channel(capacity.clamp(1, tokio::sync::Semaphore::MAX_PERMITS));
        let finished = Arc::new(AtomicBool::new(false));
        let sender = StreamSender { items: sender, finished: Arc::clone(&finished) };
        (sender, Self::of(Source::Pushed { items, finished }))
    }

    /// Ends the stream with [`StreamError::Timeout`] if an item takes longer than this, from when it is first asked for.
    pub fn item_timeout(mut self, after: Duration) -> Self {
        self.0.get_mut().limit = Some(Limit { after, sleep: None });
        self
    }

    /// The next item; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, StreamError>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    fn of(source: Source<T>) -> Self {
        Self(Mutex::new(Inner { source, limit: None }))
    }

    /// The items of a stream of another node.
    pub(in crate::actor) fn from_afar(inflow: Inflow, poll: PollFar<T>) -> Self {
        Self::of(Source::Far(Box::new(inflow), poll))
    }

    /// Takes everything out: it goes to another node.
    pub(in crate::actor) fn take(&self) -> Self {
        let inner = std::mem::replace(&mut *self.0.lock(), Inner { source: Source::Over, limit: None });
        Self(Mutex::new(inner))
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, StreamError>>> {
        let Inner { source, limit } = self.0.get_mut();
        let item = match (source.poll(cx), &mut *limit) {
            (Poll::Ready(item), _) => item,
            (Poll::Pending, None) => return Poll::Pending,
            (Poll::Pending, Some(limit)) => {
                ready!(limit.poll(cx));
                Some(Err(StreamError::Timeout { after: limit.after }))
            }
        };
        if let Some(limit) = limit {
            limit.sleep = None;
        }
        if !matches!(item, Some(Ok(_))) {
            // The actor learns that nobody takes what is left.
            source.end();
        }
        Poll::Ready(item)
    }
}

impl<T: Send + 'static> Source<T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, StreamError>>> {
        match self {
            Self::Pulled(stream) => match catch_unwind(AssertUnwindSafe(|| stream.as_mut().poll_next(cx))) {
                Ok(item) => item.map(|item| item.map(Ok)),
                Err(panic) => {
                    log_panic::<T>(panic);
                    Poll::Ready(Some(Err(StreamError::Failed)))
                }
            },
            Self::Pushed { items, finished } => Poll::Ready(match ready!(items.poll_recv(cx)) {
                Some(item) => Some(Ok(item)),
                None if finished.load(Ordering::Acquire) => None,
                None => Some(Err(StreamError::Interrupted)),
            }),
            // `Deserialize` is the user's code.
            Self::Far(inflow, poll) => match catch_unwind(AssertUnwindSafe(|| poll(inflow, cx))) {
                Ok(item) => item,
                Err(panic) => {
                    log_panic::<T>(panic);
                    Poll::Ready(Some(Err(StreamError::Unreadable)))
                }
            },
            Self::Over => Poll::Ready(None),
        }
    }
}

impl<T> Source<T> {
    /// Drops what is left. A panic in that is not the asker's.
    fn end(&mut self) {
        let left = std::mem::replace(self, Self::Over);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(left))) {
            log_panic::<T>(panic);
        }
    }
}

fn log_panic<T>(panic: Box<dyn Any + Send>) {
    let failure = Failure::from_panic(panic);
    tracing::error!(%failure, items = type_name::<T>(), "the stream of a reply panicked");
}

impl Limit {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.get_or_insert_with(|| Box::pin(sleep(self.after))).as_mut().poll(cx)
    }
}

impl<T: Send + 'static> Stream for ReplyStream<T> {
    type Item = Result<T, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl<T> Unpin for ReplyStream<T> {}

impl<T> fmt::Debug for ReplyStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyStream<{}>", type_name::<T>())
    }
}

/// The actor's end of a [`ReplyStream::channel`].
///
/// Dropped without [`finish`](Self::finish), as it is when the actor stops or restarts, it has the stream end with
/// [`StreamError::Interrupted`] after the items that were sent.
pub struct StreamSender<T> {
    items: mpsc::Sender<T>,
    finished: Arc<AtomicBool>,
}

/// Why an item was not sent. It hands the item back, and is an `Error` whether or not `T` is `Debug`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamSendError<T> {
    /// The asker has not taken what was sent before.
    #[error("the reply's stream has no room: wait for its asker with `send`")]
    Full(T),
    /// The asker has dropped the stream.
    #[error("the asker has left: nobody takes what is sent")]
    Abandoned(T),
}

impl<T> StreamSender<T> {
    /// Sends an item, waiting until there is room. A handler that awaits it holds its actor up for as long as the asker keeps
    /// the stream and takes nothing: where askers are not trusted, use [`try_send`](Self::try_send), or a timeout.
    pub async fn send(&self, item: T) -> Result<(), StreamSendError<T>> {
        self.items.send(item).await.map_err(|error| StreamSendError::Abandoned(error.0))
    }

    /// Sends an item if there is room.
    pub fn try_send(&self, item: T) -> Result<(), StreamSendError<T>> {
        self.items.try_send(item).map_err(|error| match error {
            mpsc::error::TrySendError::Full(item) => StreamSendError::Full(item),
            mpsc::error::TrySendError::Closed(item) => StreamSendError::Abandoned(item),
        })
    }

    /// The stream is complete: it ends after what was sent.
    pub fn finish(self) {
        self.finished.store(true, Ordering::Release);
    }

    /// Whether the asker has dropped the stream.
    pub fn is_abandoned(&self) -> bool {
        self.items.is_closed()
    }

    /// Waits until the asker drops the stream.
    pub fn abandoned(&self) -> impl Future<Output = ()> + Send + '_
    where
        T: Send,
    {
        self.items.closed()
    }
}

impl<T> fmt::Debug for StreamSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamSender<{}>", type_name::<T>())
    }
}

impl<T> fmt::Debug for StreamSendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Abandoned(_) => "Abandoned(..)",
        })
    }
}
