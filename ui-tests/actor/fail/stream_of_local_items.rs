use casty::ReplyStream;
use casty::prelude::*;

struct Ledger(Vec<std::time::Instant>);

#[actor]
impl Ledger {
    #[message]
    fn entries(&self) -> ReplyStream<std::time::Instant> {
        ReplyStream::from_iter(self.0.clone())
    }
}

fn main() {}
