use casty::persistent;

#[persistent(balance, balance)]
struct Account {
    balance: u64,
}

fn main() {}
