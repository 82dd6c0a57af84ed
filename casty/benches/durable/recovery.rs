//! How long a cluster takes to have its entities again.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::{Get, folders, start, stop, write};

const ENTITIES: usize = 1_000_000;
/// The entities that are asked for, spread over all.
const ASKED: usize = 10_000;
const IN_FLIGHT: usize = 4_096;

/// Another process: three nodes write all entities, and do not end.
pub(super) async fn fill(folders: &[String]) {
    let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let (_nodes, registers) = start(&folders).await;
    let took = write(&registers, ENTITIES, IN_FLIGHT, ENTITIES).await;
    println!("{ENTITIES} entities are written in {took:.1?}");
    println!("done");
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

pub(super) async fn run() {
    let (_places, folders) = folders();
    let mut command = Command::new(env::current_exe().unwrap());
    let mut process = command.arg("fill").args(&folders).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.take_while(|line| line != "done").for_each(|line| println!("{line}"));
    process.kill().unwrap();
    process.wait().unwrap();
    let begun = Instant::now();
    let (nodes, registers) = start(&folders).await;
    assert_eq!(registers.entity("0").get(Get).await, Ok(0));
    println!("after a kill of all nodes, from the first start to the first answer: {:.2?}", begun.elapsed());
    let asked = (0..ENTITIES).step_by(ENTITIES / ASKED).map(|number| {
        let register = registers.entity(number.to_string());
        async move { assert_eq!(register.get(Get).await, Ok(number as u64)) }
    });
    stream::iter(asked).buffer_unordered(IN_FLIGHT).collect::<()>().await;
    println!("to the answers of {ASKED} of them: {:.2?}", begun.elapsed());
    stop(nodes).await;
}
