//! Finds a bug that shows only when a node is lost: `cargo run --example 04_simulation`.
//!
//! A hall has a few seats. The first version of its actor forgets who sold them when another node takes over, since the
//! number of seats left is not among its persistent fields. The simulator kills nodes, cuts links and stops clocks until
//! that shows, and prints what happened and the seed that shows it again. The second version passes every seed.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use casty::prelude::*;
use casty::testkit::sim::{Faults, Scenario, Sim};

/// The seats of a hall.
const SEATS: u64 = 12;

#[message]
struct Buy;

#[message]
#[derive(Debug)]
struct SoldOut;

/// The wrong one: what is left belongs to the node, and is forgotten with it.
#[persistent(visitors)]
struct Forgetful {
    left: u64,
    visitors: u64,
}

#[actor]
impl Forgetful {
    fn new(_: EntityId) -> Self {
        Self { left: SEATS, visitors: 0 }
    }

    #[handler]
    fn buy(&mut self, _: Buy) -> Result<u64, SoldOut> {
        self.left = self.left.checked_sub(1).ok_or(SoldOut)?;
        self.visitors += 1;
        Ok(self.left)
    }
}

/// The right one: all of it is state.
#[persistent]
struct Hall {
    left: u64,
}

#[actor]
impl Hall {
    fn new(_: EntityId) -> Self {
        Self { left: SEATS }
    }

    #[handler]
    fn buy(&mut self, _: Buy) -> Result<u64, SoldOut> {
        self.left = self.left.checked_sub(1).ok_or(SoldOut)?;
        Ok(self.left)
    }
}

/// The test, for either actor: clients on every node buy seats.
macro_rules! no_seat_is_sold_twice {
    ($hall:ty) => {
        |run: &mut Scenario| {
            let sold = Arc::new(AtomicU64::new(0));
            let counted = sold.clone();
            run.client(move |mut client| {
                let sold = counted.clone();
                async move {
                    let Ok(halls) = client.node().sharded::<$hall>("hall").start().await else { return };
                    while client.goes_on() {
                        if halls.ask("opera", Buy).await.is_ok() {
                            sold.fetch_add(1, Ordering::Relaxed);
                        }
                        tokio::time::sleep(Duration::from_millis(client.random(0..500))).await;
                    }
                }
            });
            run.finally("no seat is sold twice", move |_| {
                let sold = sold.load(Ordering::Relaxed);
                async move { if sold <= SEATS { Ok(()) } else { Err(format!("{sold} of {SEATS} seats are sold")) } }
            });
        }
    };
}

fn main() -> Result<(), BoxError> {
    let sim = Sim::new(3).faults(Faults::all()).lasting(Duration::from_secs(5));
    let Err(failure) = sim.find(0..100, no_seat_is_sold_twice!(Forgetful)) else {
        return Err("the simulator did not find the bug".into());
    };
    println!("{failure}\n");
    sim.find(0..20, no_seat_is_sold_twice!(Hall))?;
    println!("the hall whose seats are state passes 20 seeds");
    Ok(())
}
