//! Where the messages of a pool go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use super::routing::{Routing, Way};
use crate::actor::{Actor, Env, Local, Rejected, Target};

/// A ticket names its worker in the bits from here on.
const WORKER_BITS: u32 = 48;

/// The target of a [`Pool`](super::Pool).
pub struct PoolTarget<A: Actor>(Arc<Inner<A>>);

struct Inner<A: Actor> {
    /// At least one.
    workers: Vec<Local<A>>,
    routing: Routing<A>,
    next: AtomicUsize,
    name: Option<Arc<str>>,
}

impl<A: Actor> PoolTarget<A> {
    pub(super) fn new(workers: Vec<Local<A>>, routing: Routing<A>, name: Option<Arc<str>>) -> Self {
        Self(Arc::new(Inner { workers, routing, next: AtomicUsize::new(0), name }))
    }

    pub(super) fn workers(&self) -> &[Local<A>] {
        &self.0.workers
    }

    /// The worker that is tried first.
    fn choose(&self, msg: &A::Msg) -> usize {
        let Inner { workers, routing, next, .. } = &*self.0;
        match &routing.0 {
            Way::RoundRobin => next.fetch_add(1, Ordering::Relaxed) % workers.len(),
            Way::ByKey(key) => (key(msg) % workers.len() as u64) as usize,
            // Looked at in turns, so that idle ones share the work.
            Way::LeastLoaded => {
                let first = next.fetch_add(1, Ordering::Relaxed);
                let turns = (0..workers.len()).map(|turn| (first + turn) % workers.len());
                turns.min_by_key(|&at| workers[at].cell().load()).unwrap_or(0)
            }
        }
    }

    /// Tries the workers from the chosen one on, until one has not stopped.
    fn offer(
        &self,
        msg: A::Msg,
        mut to: impl FnMut(usize, &Local<A>, A::Msg) -> Poll<Result<(), Rejected<A::Msg>>>,
    ) -> Poll<Result<(), Rejected<A::Msg>>> {
        let (count, first) = (self.0.workers.len(), self.choose(&msg));
        let mut msg = msg;
        for at in (0..count).map(|turn| (first + turn) % count) {
            match ready!(to(at, &self.0.workers[at], msg)) {
                Err(Rejected::Closed(Some(back))) => msg = back,
                done => return Poll::Ready(done),
            }
        }
        Poll::Ready(Err(Rejected::Closed(Some(msg))))
    }
}

impl<A: Actor> Clone for PoolTarget<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Actor> Target<A> for PoolTarget<A> {
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>> {
        if let Some(number) = *ticket {
            let (at, inner) = split(number);
            let mut inner = Some(inner);
            let Some(worker) = self.0.workers.get(at) else { return Poll::Ready(Err(Rejected::Closed(None))) };
            let sent = worker.poll_send(cx, msg, &mut inner);
            *ticket = inner.map(|inner| join(at, inner));
            match ready!(sent) {
                // It stopped before there was room: another may have some.
                Err(Rejected::Closed(Some(back))) => *msg = Some(back),
                done => return Poll::Ready(done),
            }
        }
        let Some(first) = msg.take() else { return Poll::Ready(Ok(())) };
        self.offer(first, |at, worker, msg| {
            let (mut msg, mut inner) = (Some(msg), None);
            let sent = worker.poll_send(cx, &mut msg, &mut inner);
            *ticket = inner.map(|inner| join(at, inner));
            sent
        })
    }

    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>> {
        match self.offer(msg, |_, worker, msg| Poll::Ready(worker.try_send(msg))) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(Rejected::Closed(None)),
        }
    }

    fn cancel(&self, ticket: u64) -> bool {
        let (at, inner) = split(ticket);
        self.0.workers.get(at).is_some_and(|worker| worker.cancel(inner))
    }

    fn env(&self) -> &Env {
        self.0.workers[0].env()
    }

    fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }
}

fn join(worker: usize, ticket: u64) -> u64 {
    (worker as u64) << WORKER_BITS | ticket
}

fn split(ticket: u64) -> (usize, u64) {
    ((ticket >> WORKER_BITS) as usize, ticket & ((1 << WORKER_BITS) - 1))
}
