use casty::actor;

struct Account(u64);

#[actor]
impl Account {
    #[handler]
    fn get_balance(&self) -> u64 {
        self.0
    }
}

fn main() {}
