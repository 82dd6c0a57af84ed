use casty::prelude::*;

struct Cache;

#[actor(local)]
impl Cache {
    #[message]
    fn clear(&mut self) {}
}

#[message]
struct Use {
    cache: ActorRef<Cache>,
}

fn main() {}
