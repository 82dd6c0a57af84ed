use casty::prelude::*;

struct Boss;

#[actor]
impl Boss {
    fn on_terminated(&mut self, _ctx: &mut Ctx<Self>) {}
}

fn main() {}
