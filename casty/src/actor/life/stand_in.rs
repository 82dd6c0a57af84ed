//! The life of an actor that a test stands in for.

use std::future::{Future, poll_fn};
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::end::End;
use crate::actor::Actor;
use crate::actor::cell::Cell;
use crate::actor::mailbox::Received;
use crate::actor::watch::StopReason;

/// Hands every message to the test.
///
/// The end is made at once: it is told also if the task never runs.
pub(in crate::actor) fn stand_in<A: Actor>(
    inbox: UnboundedSender<A::Msg>,
    cell: Arc<Cell<A>>,
) -> impl Future<Output = ()> + Send {
    receive(inbox, End::new(cell))
}

async fn receive<A: Actor>(inbox: UnboundedSender<A::Msg>, mut end: End<A>) {
    let reason = loop {
        match poll_fn(|cx| end.cell.mailbox.poll_recv(cx, &mut end.batch)).await {
            Received::Batch => {
                while let Some(msg) = end.batch.pop() {
                    // The test has ended: what nobody takes is dropped, and its askers are told.
                    drop(inbox.send(msg));
                }
            }
            Received::Signal => {
                end.cell.mailbox.take_signal();
                while end.cell.sideband.pop().is_some() {}
            }
            Received::Closed | Received::Stop => break StopReason::Stopped,
        }
    };
    end.set_reason(reason);
}
