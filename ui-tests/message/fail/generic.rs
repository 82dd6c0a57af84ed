use casty::message;

#[message]
struct Put<T>(T);

fn main() {}
