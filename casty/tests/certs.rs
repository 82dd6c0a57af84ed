//! `casty certs`, as its user runs it: the program, the files that it writes, and a cluster that has them.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use casty::{ActorSystem, ClusterConfig, Node, Tls};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

/// A folder that is removed when it is dropped. The program makes it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("casty-certs-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(env::temp_dir().join(name).join("certs"))
    }

    /// Runs the program.
    fn certs(&self, arguments: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_casty"));
        program.args(["certs", "--out"]).arg(&self.0).args(arguments).output().unwrap()
    }

    /// Runs the program, which succeeds.
    fn makes(&self, arguments: &[&str]) -> String {
        let made = self.certs(arguments);
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap()
    }

    /// Runs the program, which fails, and gives what it says.
    fn refuses(&self, arguments: &[&str]) -> String {
        let refused = self.certs(arguments);
        assert_eq!((refused.status.code(), &*refused.stdout), (Some(1), &b""[..]), "{refused:?}");
        String::from_utf8(refused.stderr).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    fn tls(&self, node: &str) -> Tls {
        let file = |extension: &str| self.file(&format!("{node}.{extension}"));
        Tls::from_pem(self.file("ca.pem"), file("pem"), file("key"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

async fn node(id: &str, seed: &str, tls: Tls) -> Node {
    let config = ClusterConfig::new("127.0.0.1:0").node_id(id).expected_size(2);
    ActorSystem::cluster(config.seeds([seed]).tls(tls)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_its_certificates_are_a_cluster_also_if_they_were_made_one_after_the_other() {
    let folder = Folder::new();
    let said = folder.makes(&["--host", "a.example.org,127.0.0.1"]);
    assert!(said.contains("wrote") && said.contains("a.example.org.key") && said.contains("Tls::from_pem("), "{said}");
    let ca = folder.read("ca.pem");
    folder.makes(&["--host", "b.example.org, 127.0.0.1", "--host", "::1", "--days", "1"]);
    assert_eq!(folder.read("ca.pem"), ca, "the CA that is there signs what is made later");
    assert!(folder.file("__1.pem").exists(), "colons are no good in the name of a file");
    let first = node("a", "127.0.0.1:1", folder.tls("a.example.org")).await;
    let second = node("b", &first.address(), folder.tls("b.example.org")).await;
    for node in [&first, &second] {
        timeout(DEADLINE, node.ready()).await.unwrap().unwrap();
        assert_eq!(node.members().len(), 2);
    }
}

#[test]
fn what_is_there_is_not_overwritten_unless_that_is_forced() {
    let folder = Folder::new();
    folder.makes(&["--host", "a.example.org", "--host", "b.example.org"]);
    let names = ["ca.pem", "ca.key", "a.example.org.pem", "a.example.org.key"];
    let before = names.map(|name| folder.read(name));
    let error = folder.refuses(&["--host", "a.example.org"]);
    let path = folder.file("a.example.org.pem");
    assert!(error.contains(&format!("`{}` is there already; --force overwrites it", path.display())), "{error}");
    assert_eq!(names.map(|name| folder.read(name)), before);
    fs::remove_file(folder.file("ca.key")).unwrap();
    let error = folder.refuses(&["--host", "c.example.org"]);
    assert!(error.contains("ca.pem` is there already"), "a CA without its key is not replaced either: {error}");
    assert!(!folder.file("c.example.org.pem").exists());
    folder.makes(&["--host", "a.example.org", "--force"]);
    let after = names.map(|name| folder.read(name));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    folder.tls("a.example.org").reload().unwrap();
    let error = folder.tls("b.example.org").reload().unwrap_err().to_string();
    assert!(error.contains("it was not signed by this CA"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_and_a_key_that_is_none_are_named() {
    let folder = Folder::new();
    fs::create_dir_all(folder.0.parent().unwrap()).unwrap();
    fs::write(&folder.0, "a file").unwrap();
    let error = folder.refuses(&["--host", "a.example.org"]);
    assert!(error.contains(&format!("cannot write `{}`", folder.0.display())), "{error}");
    fs::remove_file(&folder.0).unwrap();
    fs::create_dir(&folder.0).unwrap();
    fs::write(folder.file("ca.key"), "this was a key").unwrap();
    let error = folder.refuses(&["--host", "a.example.org"]);
    assert!(error.contains("casty development CA"), "{error}");
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = Folder::new();
    folder.makes(&["--host", "a.example.org"]);
    for forced in [false, true] {
        if forced {
            let keys = ["ca.key", "a.example.org.key"].map(|name| folder.file(name));
            keys.iter().for_each(|key| fs::set_permissions(key, PermissionsExt::from_mode(0o666)).unwrap());
            folder.makes(&["--host", "a.example.org", "--force"]);
        }
        assert_eq!(["ca.key", "a.example.org.key"].map(|name| mode(&folder.file(name))), [0o600; 2], "{forced}");
    }
}
