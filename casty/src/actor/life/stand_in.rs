//! The life of an actor that a test stands in for.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::end::End;
use crate::actor::Actor;
use crate::actor::cell::Cell;
use crate::actor::mailbox::Received;
use crate::actor::watch::StopReason;

/// Hands every message to the test.
pub(in crate::actor) async fn stand_in<A: Actor>(inbox: UnboundedSender<A::Msg>, cell: Arc<Cell<A>>) {
    let mut end = End::new(cell);
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
