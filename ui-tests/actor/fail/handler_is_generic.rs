use casty::actor;

struct Account(String);

#[actor]
impl Account {
    #[handler]
    fn rename<T: Into<String>>(&mut self, name: T) {
        self.0 = name.into();
    }
}

fn main() {}
