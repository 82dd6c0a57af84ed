use casty::actor;
use casty::actor::Registered;

struct Store<T>(Vec<T>);

#[actor]
impl<T: Send + 'static> Store<T> {}

fn registered<A: Registered>() {}

fn main() {
    registered::<Store<u64>>();
}
