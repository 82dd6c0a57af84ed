use casty::message;

#[message]
fn deposit() {}

fn main() {}
