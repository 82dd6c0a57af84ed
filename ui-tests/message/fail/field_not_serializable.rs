use casty::message;

#[message]
struct Open {
    owner: String,
    at: std::time::Instant,
}

fn main() {}
