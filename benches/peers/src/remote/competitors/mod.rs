//! One file for each way to ask another process.

mod casty;
mod frames;
mod kameo;
mod ractor;
mod tcp_bare;
mod tcp_rpc;

use std::future::Future;

use super::processes::Answering;
use crate::meter::{Sample, Threads};

/// The name of the competitor that ratios are taken to.
pub const BASE: &str = <tcp_rpc::TcpRpc as Competitor>::NAME;

/// All competitors, in the order of the tables.
pub const ALL: &[Entry] = &[
    Entry::of::<casty::Plain>(),
    Entry::of::<casty::MutualTls>(),
    Entry::of::<tcp_bare::TcpBare>(),
    Entry::of::<tcp_rpc::TcpRpc>(),
    Entry::of::<ractor::RactorCluster>(),
    Entry::of::<kameo::KameoRemote>(),
];

/// A way to ask another process.
pub trait Competitor: 'static {
    /// The name in the tables.
    const NAME: &'static str;

    /// The runtime of the process that answers.
    const ANSWERING: Threads = Threads::Two;

    /// Answers for as long as the process lives. `ready` is told how to get here, on one line.
    fn answer(ready: impl FnOnce(String) + Send) -> impl Future<Output = ()>;

    /// Time for an ask of the process that answers, of so many callers and asks.
    fn time(answering: Answering, callers: u64, asks: u64) -> impl Future<Output = Sample> + Send;
}

/// A competitor as a row of function pointers.
pub struct Entry {
    /// The name in the tables.
    pub name: &'static str,
    /// Answers for as long as the process lives.
    pub answer: fn(),
    /// Takes the time of an ask of the process that answers, of so many callers and asks.
    pub time: fn(Answering, u64, u64) -> Sample,
}

impl Entry {
    const fn of<C: Competitor>() -> Self {
        Self { name: C::NAME, answer: answer::<C>, time: time::<C> }
    }

    /// The competitor of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|entry| entry.name == name)
    }
}

fn answer<C: Competitor>() {
    C::ANSWERING.runtime().block_on(C::answer(|way| println!("{way}")));
}

fn time<C: Competitor>(answering: Answering, callers: u64, asks: u64) -> Sample {
    let runtime = Threads::Two.runtime();
    let task = async move { tokio::spawn(C::time(answering, callers, asks)).await };
    let sample = runtime.block_on(task).expect("the work does not panic");
    runtime.shutdown_background();
    sample
}
