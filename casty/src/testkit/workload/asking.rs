//! One ask, from its call to its end, as the books have it.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

use super::client::Client;
use super::{Surroundings, token};
use crate::actor::AskError;
use crate::testkit::history::History;

/// An ask must end within this time after its deadline (S3 of the promises), and what a step of a simulation adds.
const GRACE: Duration = Duration::from_millis(20 + 2);

/// The most that an ask is given before it is dropped half way, in milliseconds.
const DROPPED_AFTER_MS: u64 = 40;

/// The number of an ask, and the time that it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) ask: u64,
    pub(super) time: Duration,
}

/// How an ask ended.
pub(super) enum Ended<T> {
    /// With a reply.
    Replied(T),
    /// It certainly did nothing.
    Refused,
    /// It may have happened, or may happen yet.
    Unknown,
}

impl<S: Surroundings> Client<'_, S> {
    /// A number that no other ask of the run has, and a deadline.
    pub(super) fn next_ask(&mut self) -> Asked {
        self.asked += 1;
        let time = Duration::from_millis(self.surroundings.random(self.pace.timeout_ms.clone()));
        Asked { ask: token(self.surroundings.number(), self.asked), time }
    }

    /// Waits for the reply to an ask, or drops it half way, and writes down what came.
    pub(super) async fn ask<I: Debug + Clone, O, E>(
        &mut self,
        asked: Asked,
        history: &History<I, O>,
        input: I,
        asking: impl Future<Output = Result<(u64, O), AskError<E>>>,
    ) -> Ended<O>
    where
        O: Clone + Debug,
    {
        let pending = history.call(self.surroundings.number(), self.surroundings.now(), input.clone());
        let begun = self.surroundings.ran();
        let answer = if self.surroundings.random(0..self.pace.dropped) == 0 {
            let after = Duration::from_millis(self.surroundings.random(0..DROPPED_AFTER_MS));
            let Ok(answer) = timeout(after, asking).await else { return Ended::Unknown };
            answer
        } else {
            asking.await
        };
        let took = self.surroundings.ran().saturating_sub(begun);
        if took > asked.time + GRACE {
            self.books.notes().late.push((format!("{input:?}"), asked.time, took));
        }
        match answer {
            Ok((of, output)) => {
                if of != asked.ask {
                    let strange = format!("{input:?}, number {}, got {output:?}, which answers {of}", asked.ask);
                    self.books.notes().strange_replies.push(strange);
                }
                pending.returned(self.surroundings.now(), output.clone());
                Ended::Replied(output)
            }
            Err(AskError::Unavailable { .. } | AskError::MailboxFull) => {
                pending.withdraw();
                Ended::Refused
            }
            Err(_) => {
                pending.unknown();
                Ended::Unknown
            }
        }
    }
}
