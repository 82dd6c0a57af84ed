use casty::prelude::*;

#[message]
struct Looked;

#[persistent(events = Looked)]
struct Ledger {
    looks: u64,
}

impl EventSourced for Ledger {
    fn apply(&mut self, _: Looked) {
        self.looks += 1;
    }
}

#[actor]
impl Ledger {
    #[message]
    fn look(&self, ctx: &mut Ctx<Self>) -> u64 {
        ctx.emit(self, Looked);
        self.looks
    }
}

fn main() {}
