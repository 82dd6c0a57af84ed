use casty::prelude::*;

#[persistent]
struct Ledger {
    cents: i64,
}

#[actor]
impl Ledger {
    #[message]
    fn book(&mut self, cents: i64, ctx: &mut Ctx<Self>) {
        ctx.emit(self, cents);
    }
}

fn main() {}
