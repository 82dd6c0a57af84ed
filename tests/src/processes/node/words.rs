//! The lines that a node hears and says.

use std::io::{BufRead, Write};

use tokio::sync::mpsc;

use super::{Numbered, Order, Said};

/// Orders that wait. The harness waits for answers, so there are few.
const ORDERS_MAX: usize = 64;

/// The orders, until the input ends. A thread of its own reads them, since a runtime waits at its end for every read that
/// it began.
pub(super) fn orders() -> mpsc::Receiver<Numbered<Order>> {
    let (told, orders) = mpsc::channel(ORDERS_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(order) => {
                    if told.blocking_send(order).is_err() {
                        return;
                    }
                }
                Err(error) => tracing::error!(%error, line, "an order that cannot be read"),
            }
        }
    });
    orders
}

/// Says something to the harness. One that has gone does not listen, and the end of the input tells so.
pub(super) fn say(said: &Said) {
    let mut out = std::io::stdout().lock();
    let _ = serde_json::to_writer(&mut out, said);
    let _ = out.write_all(b"\n").and_then(|()| out.flush());
}
