//! What runs have left behind whose process was killed.

use std::fs;
use std::path::Path;

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, Signal, kill_process};

use super::Run;
use super::command::run;

/// Removes what runs that are over have left behind: processes in their namespaces, namespaces, devices, mounts, folders.
///
/// What cannot be removed stays: another harness may be sweeping at the same time, or this one may not be allowed to.
pub fn sweep() {
    for namespace in names("ip", &["netns", "list"], |line| line.split_whitespace().next()) {
        for pid in run("ip", &["netns", "pids", &namespace], "").unwrap_or_default().lines() {
            kill(pid);
        }
        let _ = run("ip", &["netns", "delete", &namespace], "");
    }
    for device in names("ip", &["-brief", "link", "show"], |line| line.split([' ', '@']).next()) {
        let _ = run("ip", &["link", "delete", &device], "");
    }
    for mount in mounts() {
        let _ = unmount(&mount, UnmountFlags::DETACH);
    }
    for folder in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if folder.file_name().to_str().is_some_and(is_left) {
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

fn is_left(name: &str) -> bool {
    Run::of(name).is_some_and(|run| run.is_over())
}

/// The names in what a program says, one a line, that are left over.
fn names(program: &str, args: &[&str], name: impl Fn(&str) -> Option<&str>) -> Vec<String> {
    let said = run(program, args, "").unwrap_or_default();
    said.lines().filter_map(name).filter(|name| is_left(name)).map(str::to_owned).collect()
}

/// Mounts below the folders of runs that are over.
fn mounts() -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let left = |point: &&str| Path::new(point).components().any(|part| part.as_os_str().to_str().is_some_and(is_left));
    points.filter(left).map(str::to_owned).collect()
}

fn kill(pid: &str) {
    if let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}
