use casty::ReplyStream;
use casty::prelude::*;

struct Ledger(Vec<u64>);

#[actor]
impl Ledger {
    #[message]
    fn entries(&self) -> ReplyStream<u64> {
        ReplyStream::from_iter(self.0.clone())
    }
}

fn main() {}
