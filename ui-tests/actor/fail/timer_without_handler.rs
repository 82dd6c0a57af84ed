use std::time::Duration;

use casty::prelude::*;

#[message]
struct Tick;

struct Clock;

#[actor]
impl Clock {
    #[message]
    fn wind(&mut self) {}

    fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        ctx.after(Duration::from_secs(1), Tick);
        Ok(())
    }
}

fn main() {}
