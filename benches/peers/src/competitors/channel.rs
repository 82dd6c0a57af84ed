//! What the bare channels share: one enum of messages, and what an actor does with it.

use std::ops::ControlFlow;

use tokio::sync::oneshot;

use super::{Competitor, Counter};

/// A message, with a way to reply of the channel's choice.
pub(super) enum Msg<Reply = oneshot::Sender<u64>> {
    Add(u64),
    Total(Reply),
    Pass(u64),
    Stop,
}

/// Handles one message. Sending `total` off is the only thing that depends on the channel.
pub(super) async fn handle<C: Competitor, Reply>(
    counter: &mut Counter<C::Ref>,
    msg: Msg<Reply>,
    reply: impl FnOnce(Reply, u64),
) -> ControlFlow<()> {
    match msg {
        Msg::Add(amount) => counter.add(amount),
        Msg::Total(to) => reply(to, counter.total()),
        Msg::Pass(hops) => {
            if let Some(next) = counter.catch(hops) {
                C::pass(next, hops - 1).await;
            }
        }
        Msg::Stop => return ControlFlow::Break(()),
    }
    ControlFlow::Continue(())
}

/// Replies through a oneshot channel. Nobody minds an asker that has gone.
pub(super) fn reply(to: oneshot::Sender<u64>, total: u64) {
    _ = to.send(total);
}
