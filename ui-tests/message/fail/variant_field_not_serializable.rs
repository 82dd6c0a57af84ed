use casty::message;

struct Plain;

#[message]
enum Event {
    Opened,
    Closed(u64, Option<Plain>),
}

fn main() {}
