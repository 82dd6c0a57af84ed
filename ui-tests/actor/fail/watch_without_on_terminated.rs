use casty::prelude::*;

struct Worker;

#[actor]
impl Worker {
    #[message]
    fn work(&mut self) {}
}

struct Boss;

#[actor(local)]
impl Boss {
    #[message]
    fn watch(&mut self, worker: ActorRef<Worker>, ctx: &mut Ctx<Self>) {
        let _ = ctx.watch(&worker);
    }
}

fn main() {}
