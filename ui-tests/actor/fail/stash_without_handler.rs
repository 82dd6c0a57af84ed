use casty::prelude::*;

#[message]
struct Later;

struct Busy;

#[actor]
impl Busy {
    fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        ctx.stash::<Later>();
        Ok(())
    }
}

fn main() {}
