use casty::actor::State;

struct Account {
    balance: u64,
}

struct Kept {
    balance: u64,
}

impl State for Account {
    type Kept = Kept;

    fn get_state(&self) -> Kept {
        Kept { balance: self.balance }
    }

    fn set_state(&mut self, kept: Kept) {
        self.balance = kept.balance;
    }
}

fn main() {}
