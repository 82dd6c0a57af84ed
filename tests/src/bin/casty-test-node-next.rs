//! The next version of the node program: its meter has a unit, and another name for what it counts.

use std::process::ExitCode;

use casty::prelude::*;
use casty_tests::meter::{Advance, Describe};
use casty_tests::processes::node;

/// Counts units.
#[persistent(version = 2, renamed(units = count), default(unit))]
struct Meter {
    units: u64,
    unit: Unit,
}

/// What is counted.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Unit(String);

impl Default for Unit {
    fn default() -> Self {
        Self("kWh".to_owned())
    }
}

#[actor(name = "tests.Meter")]
impl Meter {
    fn new(_: EntityId) -> Self {
        Self { units: 0, unit: Unit::default() }
    }

    #[handler]
    fn advance(&mut self, msg: Advance) -> u64 {
        self.units += msg.by;
        self.units
    }

    #[handler]
    fn describe(&self, _: Describe) -> String {
        format!("{} {}", self.units, self.unit.0)
    }
}

fn main() -> ExitCode {
    node::main(std::env::args_os(), |node| {
        Box::pin(async move { Ok(node.sharded::<Meter>("meter").start().await.map(drop)?) })
    })
}
