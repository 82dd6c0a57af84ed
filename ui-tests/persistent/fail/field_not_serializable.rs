use casty::persistent;

#[persistent]
struct Account {
    balance: u64,
    opened: std::time::Instant,
}

fn main() {}
