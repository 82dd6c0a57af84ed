//! Inside an entity's handler nothing leaves before it may.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use super::probe::{Echo, Got, Probe, Seq, poll_times, soon, spawn};
use crate::actor::error::AskFailure;
use crate::actor::scope::{self, HELD_MAX, Held, Scope};
use crate::actor::{ActorRef, AskError, DeadReason, SendError};

/// A scope that commits when the test says so.
#[derive(Default)]
struct Journal(Mutex<State>);

#[derive(Default)]
struct State {
    held: Vec<Held>,
    committed: Option<Result<(), AskFailure>>,
    waiting: Vec<Waker>,
    asked: u64,
}

impl Journal {
    async fn release(&self) -> usize {
        let held = std::mem::take(&mut self.0.lock().held);
        let count = held.len();
        for release in held {
            release().await;
        }
        count
    }

    fn commit(&self, outcome: Result<(), AskFailure>) {
        let mut state = self.0.lock();
        state.committed = Some(outcome);
        state.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Scope for Journal {
    fn hold(&self, held: Held) {
        assert!(scope::is_nested());
        self.0.lock().held.push(held);
    }

    fn poll_committed(&self, cx: &mut Context<'_>, ticket: &mut Option<u64>) -> Poll<Result<(), AskFailure>> {
        let mut state = self.0.lock();
        if ticket.is_none() {
            *ticket = Some(state.asked);
            state.asked += 1;
        }
        match &state.committed {
            Some(outcome) => Poll::Ready(outcome.clone()),
            None => {
                state.waiting.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

async fn seqs(probe: &ActorRef<Probe>) -> u64 {
    probe.ask(Got).await.unwrap()
}

#[tokio::test]
async fn what_a_handler_sends_is_held_until_it_is_released() {
    let (_system, probe) = spawn(8).await;
    let journal = Arc::new(Journal::default());
    let handler = async {
        probe.send(Seq(0, 1)).await.unwrap();
        probe.try_send(Seq(0, 2)).unwrap();
        probe.recipient::<Seq>().send(Seq(0, 3)).await.unwrap();
        probe.ask(Seq(0, 4)).send().await.unwrap();
        // Also when another task's work came in between.
        tokio::task::yield_now().await;
        probe.send(Seq(0, 5)).await.unwrap();
        scope::current().is_some()
    };
    assert!(scope::enter(journal.clone(), handler).await);
    assert!(!scope::is_nested());
    assert_eq!(seqs(&probe).await, 0);
    assert_eq!(journal.release().await, 5);
    assert_eq!(seqs(&probe).await, 5);
}

#[tokio::test]
async fn a_handler_sends_no_more_than_its_fill_at_once() {
    let (_system, probe) = spawn(8).await;
    let journal = Arc::new(Journal::default());
    let handler = async {
        for n in 0..HELD_MAX as u64 {
            probe.send(Echo(n)).await.unwrap();
        }
        let Err(SendError::Full(Echo(7))) = probe.try_send(Echo(7)) else { panic!("there was no room") };
        let Err(SendError::Full(Echo(8))) = probe.recipient::<Echo>().send(Echo(8)).await else {
            panic!("there was no room")
        };
    };
    scope::enter(journal.clone(), handler).await;
    assert_eq!(journal.0.lock().held.len(), HELD_MAX);
}

#[tokio::test]
async fn an_ask_waits_for_the_earlier_writes() {
    let (_system, probe) = spawn(8).await;
    let journal = Arc::new(Journal::default());
    let handler = tokio::spawn({
        let (journal, probe) = (journal.clone(), probe.clone());
        scope::enter(journal, async move { probe.ask(Seq(0, 1)).await })
    });
    for _ in 0..10 {
        tokio::task::yield_now().await;
        assert_eq!(seqs(&probe).await, 0);
    }
    journal.commit(Ok(()));
    assert_eq!(soon(handler).await.unwrap(), Ok(()));
    assert_eq!(seqs(&probe).await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_ask_whose_earlier_writes_do_not_commit_fails_and_is_not_delivered() {
    let (_system, probe) = spawn(8).await;
    let journal = Arc::new(Journal::default());
    let ask = || probe.ask(Seq(0, 1)).timeout(Duration::from_millis(50));
    let late = scope::enter(journal.clone(), ask()).await;
    assert!(matches!(late, Err(AskError::Unavailable { .. })), "{late:?}");
    assert!(poll_times(scope::enter(journal.clone(), ask()), 3).await.is_none());
    journal.commit(Err(AskFailure::Unavailable { reason: "deposed".to_owned() }));
    let deposed = scope::enter(journal.clone(), ask()).await;
    assert_eq!(deposed, Err(AskError::Unavailable { reason: "deposed".to_owned() }));
    assert_eq!(seqs(&probe).await, 0);
}

#[tokio::test]
async fn a_held_message_that_cannot_be_delivered_goes_to_dead_letters() {
    let (system, probe) = spawn(8).await;
    let journal = Arc::new(Journal::default());
    scope::enter(journal.clone(), async { probe.send(Echo(1)).await.unwrap() }).await;
    probe.stop();
    probe.stopped().await;
    journal.release().await;
    assert_eq!(system.dead_letters().count(DeadReason::Stopped), 1);
}

#[tokio::test]
async fn a_scope_ends_with_a_panic_and_does_not_leak_into_an_outer_one() {
    let (outer, inner) = (Arc::new(Journal::default()), Arc::new(Journal::default()));
    let (_system, probe) = spawn(8).await;
    let panics = scope::enter(inner.clone(), async { std::panic::resume_unwind(Box::new("boom")) });
    let caught = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(panics));
    scope::enter(outer.clone(), async {
        let ended: Result<(), _> = caught.await;
        assert!(ended.is_err());
        probe.send(Echo(1)).await.unwrap();
    })
    .await;
    assert!(!scope::is_nested());
    assert_eq!((outer.0.lock().held.len(), inner.0.lock().held.len()), (1, 0));
}
