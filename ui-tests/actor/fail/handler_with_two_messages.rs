use casty::actor;

struct Account(u64);

#[actor]
impl Account {
    #[handler]
    fn deposit(&mut self, amount: u64, fee: u64) {
        self.0 += amount - fee;
    }
}

fn main() {}
