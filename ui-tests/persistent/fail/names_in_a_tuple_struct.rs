use casty::persistent;

#[persistent(balance)]
struct Account(u64);

fn main() {}
