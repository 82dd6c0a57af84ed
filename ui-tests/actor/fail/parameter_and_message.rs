use casty::prelude::*;

#[message]
struct Len;

struct Store<T>(Vec<T>);

#[actor]
impl<T: Message> Store<T> {
    #[handler]
    fn len(&self, _: Len) -> usize {
        self.0.len()
    }

    #[handler]
    fn keep(&mut self, thing: T) {
        self.0.push(thing);
    }
}

fn main() {}
