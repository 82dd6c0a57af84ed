//! Look-ups: a client asks its node, and asks again when it has another one.

use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::FindError;
use super::inner::Inner;
use crate::base::{NodeKey, StableMap};
use crate::node::{Found, Sought, ToDesk};

/// The node's time for an answer ends so long before the client's: the answer has to come back.
const WAY_BACK: Duration = Duration::from_millis(100);

/// The questions that wait for an answer.
#[derive(Default)]
pub(super) struct Questions {
    asked: Mutex<StableMap<u64, oneshot::Sender<Found>>>,
    next: AtomicU64,
}

impl Questions {
    /// An answer came.
    pub(super) fn answered(&self, id: u64, found: Found) {
        if let Some(asker) = self.asked.lock().remove(&id) {
            // It fails when the asker has given up.
            let _ = asker.send(found);
        }
    }
}

/// Takes a question back when its asker gives up.
struct Asked<'a>(&'a Questions, u64);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.asked.lock().remove(&self.1);
    }
}

impl Inner {
    /// Asks the client's node, and the next one if it is lost, until one answers or the time is over.
    async fn find(&self, sought: &Sought, within: Duration) -> Result<Found, FindError> {
        let unreachable = FindError::Unreachable { after: within };
        let Some(deadline) = Instant::now().checked_add(within) else { return Err(unreachable) };
        let Some(mut through) = self.links.uplink().map(|uplink| uplink.watch()) else { return Err(unreachable) };
        loop {
            let node = through.borrow_and_update().as_ref().map(|member| member.key);
            let asking = async {
                match node {
                    Some(node) => self.ask(node, sought, deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                found = timeout_at(deadline, asking) => return found.map_err(|_| unreachable),
                changed = through.changed() => if changed.is_err() { return Err(unreachable) },
            }
        }
    }

    /// Asks one node. It never ends if that node is lost.
    async fn ask(&self, node: NodeKey, sought: &Sought, deadline: Instant) -> Found {
        let id = self.questions.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        self.questions.asked.lock().insert(id, tell);
        let _asked = Asked(&self.questions, id);
        let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(WAY_BACK);
        let within_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        if self.say(node, &ToDesk::Find { id, sought: sought.clone(), within_ms })
            && let Ok(found) = told.await
        {
            return found;
        }
        std::future::pending().await
    }
}

/// A look-up of a client; made by [`Client`](super::Client). Await it.
#[must_use = "nothing is looked up until it is awaited"]
pub struct Find<T> {
    inner: Arc<Inner>,
    sought: Sought,
    within: Duration,
    make: fn(&Arc<Inner>, &str, Found) -> Result<T, FindError>,
}

impl<T> Find<T> {
    pub(super) fn new(
        inner: Arc<Inner>,
        sought: Sought,
        make: fn(&Arc<Inner>, &str, Found) -> Result<T, FindError>,
    ) -> Self {
        let within = inner.system.env().ask_timeout();
        Self { inner, sought, within, make }
    }

    /// How long to wait for what is not there yet, and for a node that answers. Default: as long as an ask.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    async fn find(self) -> Result<T, FindError> {
        let Self { inner, sought, within: after, make } = self;
        let found = inner.find(&sought, after).await?;
        match (found, sought) {
            (Found::TooMany, _) => Err(FindError::TooMany),
            (Found::Nothing, Sought::Actor(name)) => Err(FindError::NoSuchActor { name, after }),
            (Found::Nothing, Sought::Type(name)) => Err(FindError::NotStarted { name, after }),
            (found, Sought::Actor(name) | Sought::Type(name)) => make(&inner, &name, found),
        }
    }
}

impl<T: 'static> IntoFuture for Find<T> {
    type Output = Result<T, FindError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.find())
    }
}
