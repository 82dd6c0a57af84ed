use std::rc::Rc;

use casty::message;

#[message]
struct Deposit(Rc<u64>);

fn main() {}
