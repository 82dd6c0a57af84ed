use casty::prelude::*;

#[message]
struct Price(u64);

#[message]
struct Show;

struct Display;

#[actor]
impl Display {
    #[handler]
    fn show(&mut self, _: Show) {}
}

fn prices(display: &ActorRef<Display>) -> Recipient<Price> {
    display.recipient()
}

fn main() {}
