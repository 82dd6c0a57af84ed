//! One file for each way of running actors, all put through the same work.
//!
//! Every competitor runs the actor of [`state`]: a counter that is told to add, asked for its total, and passes a ball on.
//! How it does so is its implementation of [`Competitor`]; the work itself knows nothing else of it.

mod actix;
mod casty;
mod channel;
mod coerce;
mod kameo;
mod kanal;
mod mutex_vec;
mod ractor;
mod state;
mod tokio;
mod xtra;

use std::future::Future;
use std::io;
use std::sync::Arc;

pub use self::state::{Counter, Seat, all_gone};
use crate::cases::{self, Allocations, Idle, Timed};
use crate::meter::{Sample, Threads};

/// The name of the competitor that ratios are taken to.
pub const BASE: &str = <tokio::TokioBounded as Competitor>::NAME;

/// All competitors, in the order of the tables: what is measured, what no framework can beat, and the other frameworks.
pub const ALL: &[Entry] = &[
    Entry::of::<casty::Casty>(),
    Entry::of::<tokio::TokioBounded>(),
    Entry::of::<tokio::TokioUnbounded>(),
    Entry::of::<kanal::Kanal>(),
    Entry::of::<mutex_vec::MutexVec>(),
    Entry::of::<kameo::Kameo<true>>(),
    Entry::of::<kameo::Kameo<false>>(),
    Entry::of::<ractor::Ractor>(),
    Entry::of::<actix::Actix>(),
    Entry::of::<xtra::Xtra<true>>(),
    Entry::of::<xtra::Xtra<false>>(),
    Entry::of::<coerce::Coerce>(),
];

/// How many messages a bounded mailbox holds, for every competitor that has one: casty's default.
const CAPACITY: usize = 1024;

/// A way of running actors: a framework, or the bare channel that one would be made of.
///
/// A value of it is what a program needs at hand to spawn actors, such as a framework's system. All messages of one sender
/// to one actor have to be handled in the order in which they were sent.
pub trait Competitor: Clone + Send + Sync + 'static {
    /// The name in the tables.
    const NAME: &'static str;

    /// A reference to an actor.
    type Ref: Clone + Send + Sync + 'static;

    /// Called inside the runtime in which the actors will live.
    fn start() -> Self;

    /// Spawns an actor with this state.
    fn spawn(&self, counter: Counter<Self::Ref>) -> impl Future<Output = Self::Ref> + Send;

    /// Tells the actor to add `amount` to its total.
    fn add(actor: &Self::Ref, amount: u64) -> impl Future<Output = ()> + Send;

    /// Asks the actor for its total.
    fn total(actor: &Self::Ref) -> impl Future<Output = u64> + Send;

    /// Tells the actor to pass the ball on, `hops` times in all.
    fn pass(actor: &Self::Ref, hops: u64) -> impl Future<Output = ()> + Send;

    /// Stops the actor after the messages that are queued.
    fn stop(actor: Self::Ref) -> impl Future<Output = ()> + Send;

    /// Runs `work` as a task of a runtime that is made for it, and ends with it.
    fn run<W, F, T>(threads: Threads, work: W) -> T
    where
        W: FnOnce(Self) -> F + Send + 'static,
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let runtime = threads.runtime();
        let task = async { ::tokio::spawn(async { work(Self::start()).await }).await };
        let result = runtime.block_on(task);
        runtime.shutdown_background();
        result.expect("the work does not panic")
    }
}

/// A competitor as a row of function pointers.
pub struct Entry {
    /// The name in the tables.
    pub name: &'static str,
    /// Does timed work once, with so many operations.
    pub time: fn(&Timed, u64) -> Sample,
    /// Counts allocations, over so many operations.
    pub allocations: fn(u64) -> Allocations,
    /// Measures so many idle actors. The process has to be a fresh one.
    pub idle: fn(usize) -> io::Result<Idle>,
}

impl Entry {
    const fn of<C: Competitor>() -> Self {
        Self { name: C::NAME, time: cases::time::<C>, allocations: cases::allocations::<C>, idle: cases::idle::<C> }
    }

    /// The competitor of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|entry| entry.name == name)
    }
}

/// Spawns an actor that only counts.
pub async fn spawn_counter<C: Competitor>(competitor: &C) -> C::Ref {
    competitor.spawn(Counter::new(None)).await
}

/// Spawns an actor that passes the ball to the one that [`Seat::next`] will name.
pub async fn spawn_player<C: Competitor>(competitor: &C, seat: &Arc<Seat<C::Ref>>) -> C::Ref {
    competitor.spawn(Counter::new(Some(Arc::clone(seat)))).await
}
