//! State that grows: each write records what happened, and not what came of it.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;
use tracing_subscriber::EnvFilter;

/// What happens to a ledger.
#[message]
enum LedgerEvent {
    Booked { text: String, cents: i64 },
}

/// Its lines are never thrown away. After every thousand events, a snapshot of all fields takes their place.
#[persistent(events = LedgerEvent, snapshot_every = 1000)]
struct Ledger {
    lines: Vec<String>,
    cents: i64,
}

impl EventSourced for Ledger {
    /// The only place where the state changes. It runs again when the ledger is made anew, on this node or another.
    fn apply(&mut self, event: LedgerEvent) {
        let LedgerEvent::Booked { text, cents } = event;
        self.lines.push(text);
        self.cents += cents;
    }
}

#[actor]
impl Ledger {
    fn new(_id: EntityId) -> Self {
        Self { lines: Vec::new(), cents: 0 }
    }

    /// Checks first, and says what happened then. The answer leaves when a majority has recorded the event.
    #[message]
    fn book(&mut self, text: String, cents: i64, ctx: &mut Ctx<Self>) -> Result<i64, String> {
        if self.cents + cents < 0 {
            return Err(format!("{text}: there are {} cents", self.cents));
        }
        ctx.emit(self, LedgerEvent::Booked { text, cents });
        Ok(self.cents)
    }

    #[message]
    fn last(&self) -> Option<String> {
        self.lines.last().cloned()
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,openraft=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let node = ActorSystem::cluster(ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure())).await?;
    node.ready().await?;
    let ledger = node.sharded::<Ledger>("ledger").start().await?.entity("household");
    for month in 1..=12 {
        ledger.book(format!("wages of month {month}"), 300_000).await?;
        println!("{} cents are left", ledger.book(format!("rent of month {month}"), -120_000).await?);
    }
    match ledger.book("a yacht".to_owned(), -9_000_000).await {
        Err(AskError::Handler(why)) => println!("{why}"),
        other => println!("{other:?}"),
    }
    println!("the last line is {:?}", ledger.last().await?);
    node.shutdown().await;
    Ok(())
}
