use casty::message;

#[message]
struct Rename<'a> {
    name: &'a str,
}

fn main() {}
