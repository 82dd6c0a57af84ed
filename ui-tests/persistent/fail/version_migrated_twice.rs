use casty::persistent;

#[persistent(version = 2, migrate(1 = from_1, 1 = from_1))]
struct Account {
    balance: u64,
}

fn from_1(_: &mut casty::actor::OldState) -> Result<(), casty::BoxError> {
    Ok(())
}

fn main() {}
