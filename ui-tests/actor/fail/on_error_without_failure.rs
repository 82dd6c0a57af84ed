use casty::actor;
use casty::actor::Directive;

struct Account;

#[actor]
impl Account {
    fn on_error(&mut self) -> Directive {
        Directive::Resume
    }
}

fn main() {}
