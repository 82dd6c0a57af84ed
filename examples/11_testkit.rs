//! How actors are tested: `cargo run --example 11_testkit`. In a program it would stand in `tests/`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use casty::prelude::*;
use casty::testkit::{TestKit, Unmet};

#[message]
#[derive(Debug, PartialEq)]
struct Reminder {
    invoice: u64,
}

/// Knows who has paid.
struct Ledger;

#[actor]
impl Ledger {
    #[message]
    fn is_paid(&self, invoice: u64) -> bool {
        invoice.is_multiple_of(2)
    }
}

/// Reminds of an invoice after 30 days, if the ledger says that it is not paid.
struct Clerk {
    ledger: ActorRef<Ledger>,
    reminders: Recipient<Reminder>,
    open: Vec<u64>,
}

#[message(local)]
struct Due(u64);

#[actor(local)]
impl Clerk {
    #[message]
    fn invoice(&mut self, number: u64, ctx: &mut Ctx<Self>) {
        self.open.push(number);
        ctx.after(Duration::from_secs(30 * 86_400), Due(number));
    }

    #[handler]
    async fn due(&mut self, Due(invoice): Due) {
        self.open.retain(|open| *open != invoice);
        if let Ok(false) = self.ledger.is_paid(invoice).await {
            drop(self.reminders.send(Reminder { invoice }).await);
        }
    }
}

/// A month passes in no time, since tokio's clock is paused.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    let kit = TestKit::new("test").within(Duration::from_secs(31 * 86_400));
    // The test stands in for the ledger, and gets the reminders.
    let (mut ledger, mut reminders) = (kit.stub::<Ledger>().await?, kit.probe::<Reminder>().await?);
    let clerk = Clerk { ledger: ledger.reference(), reminders: reminders.recipient(), open: Vec::new() };
    let clerk = kit.spawn_test(clerk).await?;

    clerk.invoice(7).await?;
    assert_eq!(clerk.look(|clerk| clerk.open.clone()).await?, [7]);
    ledger.expect_nothing(Duration::from_secs(29 * 86_400)).await?;
    println!("nothing happens for 29 days");

    let question = ledger.expect::<IsPaid>().await?;
    println!("then the clerk asks the ledger about invoice {}", question.invoice);
    question.reply(false);
    println!("and sends {:?}", reminders.expect_that(|reminder| reminder.invoice == 7).await?);

    // What is expected and does not come says so.
    let unmet: Result<_, Unmet> = reminders.expect().await;
    println!("no other: {}", unmet.err().map(|unmet| unmet.to_string()).unwrap_or_default());
    Ok(())
}
