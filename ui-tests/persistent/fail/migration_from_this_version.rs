use casty::persistent;

#[persistent(version = 2, migrate(2 = from_2))]
struct Account {
    balance: u64,
}

fn from_2(_: &mut casty::actor::OldState) -> Result<(), casty::BoxError> {
    Ok(())
}

fn main() {}
