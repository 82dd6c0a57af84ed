//! An actor, spawned and asked: `cargo run --example 01_hello`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;

#[message]
struct Greet {
    name: String,
}

struct Greeter {
    greeted: u64,
}

#[actor]
impl Greeter {
    #[handler]
    fn greet(&mut self, greet: Greet) -> String {
        self.greeted += 1;
        format!("Hello, {}! You are number {}.", greet.name, self.greeted)
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let system = ActorSystem::new("hello");
    let greeter = system.spawn(Greeter { greeted: 0 }).await?;
    for name in ["Ada", "Grace"] {
        println!("{}", greeter.greet(Greet { name: name.to_owned() }).await?);
    }
    system.shutdown().await;
    Ok(())
}
