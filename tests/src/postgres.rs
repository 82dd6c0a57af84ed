//! A server of PostgreSQL of a test's own, where the machine has the programs for it.

use std::env;
use std::fs;
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Where Debian's packages put the programs, by version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The user `nobody`: the server refuses to run as root.
const NOBODY: u32 = 65_534;

/// A server in a folder of its own, reached through a socket there. It ends with this.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    /// Where it can be reached with TLS.
    port: Option<u16>,
}

impl Postgres {
    /// A running server with an empty database. `None`, and a line that says so, where its programs are absent.
    pub fn start() -> Option<Self> {
        let server = Self::set_up()?;
        server.go_on();
        Some(server)
    }

    /// The same, at a port of 127.0.0.1 too, for clients with TLS only, to whom it shows this certificate.
    pub fn start_with_tls(certificate: &str, key: &str) -> Option<Self> {
        let mut server = Self::set_up()?;
        let data = PathBuf::from(server.data());
        server.write(&data.join("server.crt"), certificate);
        server.write(&data.join("server.key"), key);
        server.write(&data.join("pg_hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 trust\n");
        server.port = Some(free_port());
        server.go_on();
        Some(server)
    }

    /// A server that does not run yet.
    fn set_up() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: no `initdb` on the path or in {DEBIAN}; install `postgresql` to run this");
            return None;
        };
        let server = Self { programs, folder: TempDir::new().expect("a folder"), port: None };
        if is_root() {
            chown(server.folder.path(), Some(NOBODY), Some(NOBODY)).expect("a folder is given away");
        }
        server.run(
            "initdb",
            &["-U", "casty", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D", &server.data()],
        );
        Some(server)
    }

    /// How a client finds it.
    pub fn settings(&self) -> String {
        settings(self.folder.path())
    }

    /// How a client finds it by its port.
    pub fn settings_of_port(&self) -> String {
        format!("host=127.0.0.1 port={} user=casty dbname=postgres", self.port.unwrap_or_default())
    }

    /// The folder with its socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops it: `fast` ends its transactions, `immediate` is a crash.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", mode, "-w", "stop"]);
    }

    /// Starts it, and waits until it answers.
    pub fn go_on(&self) {
        let folder = self.folder.path().display();
        let reached = match self.port {
            Some(port) => format!("-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on"),
            None => "-c listen_addresses=".to_owned(),
        };
        let options = format!("{reached} -c unix_socket_directories={folder} -c shared_buffers=16MB");
        let log = format!("{folder}/log");
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &options, "-w", "start"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Writes a file that is the server's, and nobody else's.
    fn write(&self, file: &Path, text: &str) {
        fs::write(file, text).expect("a file is written");
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("a file is made secret");
        if is_root() {
            chown(file, Some(NOBODY), Some(NOBODY)).expect("a file is given away");
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let Output { status, stdout, stderr } = self.command(program, arguments).output().expect("a program runs");
        let said = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(status.success(), "{program} {arguments:?}: {said}\n{log}");
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.folder.path());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may be stopped already.
        let _ = self.command("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]).output();
    }
}

/// How a client finds the server whose socket is in this folder.
pub fn settings(folder: &Path) -> String {
    format!("host={} user=casty dbname=postgres", folder.display())
}

/// A port of this machine that was free a moment ago, of those that the system does not give to whoever asks for any.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = || 20_000 + (7 * process::id() + NEXT.fetch_add(1, Ordering::Relaxed)) as u16 % 12_000;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    iter::repeat_with(next).find(is_free).expect("some port is free")
}

/// The folder with the server's programs.
fn programs() -> Option<PathBuf> {
    let has = |folder: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).exists());
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let mut versions: Vec<_> = versions.collect();
    versions.sort();
    versions.into_iter().rev().chain(env::split_paths(&path)).find(has)
}

/// Whether this process may do everything, and so may not run the server as itself.
fn is_root() -> bool {
    fs::metadata(Path::new("/proc/self")).is_ok_and(|process| process.uid() == 0)
}
