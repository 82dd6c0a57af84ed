use casty::{actor, message};

#[message]
struct Withdraw(u64);

struct Overdrawn;

struct Account(u64);

#[actor]
impl Account {
    #[handler]
    fn withdraw(&mut self, msg: Withdraw) -> Result<u64, Overdrawn> {
        self.0 = self.0.checked_sub(msg.0).ok_or(Overdrawn)?;
        Ok(self.0)
    }
}

fn main() {}
