use std::time::Instant;

use casty::{actor, message};

#[message]
struct OpenedAt;

struct Account(Instant);

#[actor]
impl Account {
    #[handler]
    fn opened_at(&self, _: OpenedAt) -> Instant {
        self.0
    }
}

fn main() {}
