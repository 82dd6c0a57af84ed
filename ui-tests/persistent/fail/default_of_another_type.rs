use casty::persistent;

#[persistent(version = 2, default(limit = standard))]
struct Account {
    balance: u64,
    limit: u64,
}

fn standard() -> String {
    String::new()
}

fn main() {}
