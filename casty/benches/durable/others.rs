//! Other programs that keep state on a disk, where they are installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long another program has to start.
const PATIENCE: Duration = Duration::from_secs(20);
const REDIS_PORT: u16 = 46_379;
const ETCD_PORT: u16 = 42_379;

/// A process that ends with this.
struct Running(Child);

impl Running {
    /// `None` if there is no such program.
    fn start(program: &str, folder: &Path, arguments: &[String]) -> Option<Self> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().ok().map(Self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect(port: u16) -> TcpStream {
    let begun = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// One redis, which syncs every write before it answers. Writes that are under way together go down one connection.
pub(super) fn redis(folder: &Path, loads: &[(usize, usize)]) {
    let port = REDIS_PORT.to_string();
    let arguments =
        ["--port", &port, "--appendonly", "yes", "--appendfsync", "always", "--save", ""].map(str::to_owned);
    let Some(_running) = Running::start("redis-server", folder, &arguments) else {
        println!("skipped: redis is not installed (Debian's package redis-server)");
        return;
    };
    let stream = connect(REDIS_PORT);
    stream.set_nodelay(true).unwrap();
    let (mut out, mut answers) = (stream.try_clone().unwrap(), BufReader::new(stream));
    for (in_flight, writes) in loads {
        let begun = Instant::now();
        let (mut sent, mut answered, mut line) = (0, 0, String::new());
        while answered < *writes {
            let more = (*in_flight - (sent - answered)).min(writes - sent);
            let commands: String =
                (sent..sent + more).map(|number| format!("SET {} {number}\r\n", number % 4_096)).collect();
            out.write_all(commands.as_bytes()).unwrap();
            sent += more;
            line.clear();
            answers.read_line(&mut line).unwrap();
            assert_eq!(line, "+OK\r\n");
            answered += 1;
            // Whatever has come already makes room for as many.
            while answered < sent && !answers.buffer().is_empty() {
                line.clear();
                answers.read_line(&mut line).unwrap();
                answered += 1;
            }
        }
        let rate = *writes as f64 / begun.elapsed().as_secs_f64();
        println!("redis, one process, {in_flight} in flight: {rate:.0} writes/s");
    }
}

/// Three processes of etcd, and what its own tool says of them.
pub(super) fn etcd(folder: &Path) {
    let client = |number: u16| format!("http://127.0.0.1:{}", ETCD_PORT + 2 * number);
    let peer = |number: u16| format!("http://127.0.0.1:{}", ETCD_PORT + 2 * number + 1);
    let all: Vec<String> = (0..3).map(|number| format!("e{number}={}", peer(number))).collect();
    let mut running = Vec::new();
    for number in 0..3 {
        let (client, peer, all) = (client(number), peer(number), all.join(","));
        let name = format!("e{number}");
        let arguments = [
            ("--name", name.as_str()),
            ("--data-dir", name.as_str()),
            ("--listen-client-urls", &client),
            ("--advertise-client-urls", &client),
            ("--listen-peer-urls", &peer),
            ("--initial-advertise-peer-urls", &peer),
            ("--initial-cluster", &all),
        ];
        let arguments: Vec<String> =
            arguments.iter().flat_map(|(name, value)| [(*name).to_owned(), (*value).to_owned()]).collect();
        let Some(process) = Running::start("etcd", folder, &arguments) else {
            println!("skipped: etcd is not installed (Debian's packages etcd-server and etcd-client)");
            return;
        };
        running.push(process);
    }
    (0..3).for_each(|number| drop(connect(ETCD_PORT + 2 * number)));
    let endpoints: Vec<String> = (0..3).map(client).collect();
    let mut check = Command::new("etcdctl");
    check.env("ETCDCTL_API", "3").args(["--endpoints", &endpoints.join(","), "check", "perf", "--load", "xl"]);
    let Ok(mut check) = check.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
        println!("skipped: etcdctl is not installed (Debian's package etcd-client)");
        return;
    };
    let mut said = String::new();
    check.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    check.wait().unwrap();
    let said: Vec<&str> = said.lines().filter_map(|line| line.split_once(": ").map(|(_, what)| what)).collect();
    println!("etcd, 3 nodes, as `etcdctl check perf --load xl` asks for 15,000 writes/s: {}", said.join("; "));
}
