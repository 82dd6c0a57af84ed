//! Nothing stays behind, however a run ends.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use casty_tests::processes::{Network, Processes, Run, sweep};

use super::{alone, namespaces, setup};

/// All that the system says of namespaces, devices, mounts and folders.
fn traces(of: Run) -> Vec<String> {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let folder = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().to_string_lossy().into_owned();
    let mut all = said("ip", &["netns", "list"]) + &said("ip", &["-brief", "link", "show"]);
    all += &fs::read_to_string("/proc/self/mounts").unwrap();
    let folders = fs::read_dir(std::env::temp_dir()).unwrap().map(folder);
    all.lines().map(str::to_owned).chain(folders).filter(|line| line.contains(&of.to_string())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_panics_leaves_nothing_behind() {
    if !namespaces("a test that panics") {
        return;
    }
    let _alone = alone().await;
    let network = Network::bridged(1).unwrap();
    let run = network.run();
    let test = tokio::spawn(async move {
        let mut processes = Processes::empty(network, setup(1)).unwrap();
        processes.mount(0, 1 << 20).unwrap();
        processes.restart(0).await.unwrap();
        assert!(traces(run).len() >= 4, "{:?}", traces(run));
        std::panic::resume_unwind(Box::new("as a failing test does"));
    });
    assert!(test.await.unwrap_err().is_panic());
    assert_eq!(traces(run), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_killed_harness_has_left_behind_is_swept_by_the_next() {
    if !namespaces("what a killed harness has left behind") {
        return;
    }
    let _alone = alone().await;
    let mut gone = Command::new("true").spawn().unwrap();
    let run = Run { pid: gone.id(), number: 0 };
    let ip = |arguments: &[&str]| assert!(Command::new("ip").args(arguments).status().unwrap().success());
    let (namespace, bridge) = (format!("{run}n0"), format!("{run}b"));
    ip(&["netns", "add", &namespace]);
    ip(&["link", "add", &bridge, "type", "bridge"]);
    let mut orphan = Command::new("ip");
    orphan.args(["netns", "exec", &namespace, "sh", "-c", "echo inside; exec cat"]);
    let mut orphan = orphan.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut inside = String::new();
    BufReader::new(orphan.stdout.take().unwrap()).read_line(&mut inside).unwrap();
    assert_eq!(inside, "inside\n");
    fs::create_dir(std::env::temp_dir().join(format!("{run}f"))).unwrap();
    // Its process is there until it has been waited for.
    sweep();
    assert_eq!(traces(run).len(), 4, "{:?}", traces(run));
    gone.wait().unwrap();
    sweep();
    assert_eq!(traces(run), Vec::<String>::new());
    assert!(!orphan.wait().unwrap().success(), "what ran in the namespace was killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_ends_when_the_harness_is_gone() {
    let _alone = alone().await;
    let mut processes = Processes::start(Network::loopback(), setup(1)).await.unwrap();
    processes.take(0).unwrap().abandon(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_takes_nothing_until_room_is_made() {
    if !namespaces("a full disk") {
        return;
    }
    let _alone = alone().await;
    let mut processes = Processes::empty(Network::loopback(), setup(1)).unwrap();
    let disk = processes.mount(0, 1 << 20).unwrap();
    let write = |path: &Path| fs::File::create(path.join("log")).and_then(|mut file| file.write_all(&[1; 8192]));
    write(disk.path()).unwrap();
    disk.fill().unwrap();
    fs::remove_file(disk.path().join("log")).unwrap();
    disk.fill().unwrap();
    assert_eq!(write(disk.path()).unwrap_err().kind(), ErrorKind::StorageFull);
    disk.free().unwrap();
    write(disk.path()).unwrap();
}
