//! A server of PostgreSQL of a test's own, where the machine has the programs for it.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
}

impl Postgres {
    /// A running server with an empty database. `None`, and a line that says so, where its programs are absent.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: no `initdb` on the path or in {DEBIAN}; install `postgresql` to run this");
            return None;
        };
        let server = Self { programs, folder: TempDir::new().expect("a folder") };
        if is_root() {
            chown(server.folder.path(), Some(NOBODY), Some(NOBODY)).expect("a folder is given away");
        }
        server.run(
            "initdb",
            &["-U", "casty", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D", &server.data()],
        );
        server.go_on();
        Some(server)
    }

    /// How a client finds it.
    pub fn settings(&self) -> String {
        settings(self.folder.path())
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
        let options = format!("-c listen_addresses= -c unix_socket_directories={folder} -c shared_buffers=16MB");
        let log = format!("{folder}/log");
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &options, "-w", "start"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
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
