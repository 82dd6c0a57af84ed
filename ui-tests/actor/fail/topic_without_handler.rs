use casty::prelude::*;

#[message]
#[derive(Clone)]
struct Price(u64);

#[message]
struct Show;

struct Display;

#[actor]
impl Display {
    #[handler]
    fn show(&mut self, _: Show) {}
}

fn subscribe(system: &ActorSystem, display: &ActorRef<Display>) {
    system.topic::<Price>("prices").unwrap().subscribe(display);
}

fn main() {}
