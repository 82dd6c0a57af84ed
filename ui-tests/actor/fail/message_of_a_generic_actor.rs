use casty::prelude::*;

struct Stack<T>(Vec<T>);

#[actor]
impl<T: Send + 'static> Stack<T> {
    #[message]
    fn push(&mut self, value: T) {
        self.0.push(value);
    }
}

fn main() {}
