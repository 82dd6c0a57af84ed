//! The program as a whole: processes, a kill, planted faults, exit statuses.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use casty_examples::flights::totals::{fold, write_csv};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::sample::{FIRST_ROW, HEADER, folder, january};

/// One cluster at a time: several on two cores would take each other's time, and elections with it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs the program with these options.
fn flights(options: &[&str]) -> Output {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    Command::new(env!("CARGO_BIN_EXE_flights")).args(options).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn figures(file: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn all_totals_are_equal_after_a_node_was_killed_and_replaced() {
    let folder = folder("all_totals_are_equal_after_a_node_was_ki");
    let (out, json) = (folder.join("totals.csv"), folder.join("figures.json"));
    let output = flights(&["--out", out.to_str().unwrap(), "--json", json.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let figures = figures(&json);
    for (name, expected) in
        [("flights", 27_004), ("entities", 3_149), ("lost", 0), ("duplicated", 0), ("out_of_order", 0), ("killed", 1)]
    {
        assert_eq!(figures[name], expected, "{name} in {figures}");
    }
    for name in ["failover_ms", "rejoin_ms"] {
        assert!(figures[name].as_f64().is_some_and(|ms| ms > 0.0), "{name} in {figures}");
    }
    // Three nodes have twelve groups with three replicas each: the newcomer holds all of them, and leads its share.
    assert_eq!((&figures["rejoined_groups"], &figures["rejoined_leads"]), (&json!(12), &json!(4)), "{figures}");
    let mut expected = Vec::new();
    write_csv(&fold(&january()), &mut expected).unwrap();
    assert_eq!(std::fs::read(out).unwrap(), expected);
}

#[test]
fn every_node_may_be_killed_if_each_is_replaced_before_the_next() {
    let folder = folder("every_node_may_be_killed_if_each_is_repl");
    let json = folder.join("figures.json");
    let output = flights(&["--kills", "4", "--json", json.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let figures = figures(&json);
    assert_eq!((&figures["killed"], &figures["flights"]), (&json!(4), &json!(27_004)), "{figures}");
}

#[test]
fn without_a_successor_the_others_finish_the_job() {
    let folder = folder("without_a_successor_the_others_finish_th");
    let json = folder.join("figures.json");
    let output = flights(&["--rejoin", "false", "--json", json.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let figures = figures(&json);
    assert_eq!(figures["killed"], 1, "{figures}");
    assert!(figures["rejoin_ms"].is_null() && figures["rejoined_groups"].is_null(), "{figures}");
}

#[test]
fn planted_faults_are_counted_by_the_entities_and_fail_the_run() {
    let folder = folder("planted_faults_are_counted_by_the_entiti");
    let json = folder.join("figures.json");
    let output = flights(&[
        "--plant",
        "drop",
        "--plant",
        "double",
        "--plant",
        "swap",
        "--json",
        json.to_str().unwrap(),
        "--kills",
        "0",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let figures = figures(&json);
    for name in ["lost", "duplicated", "out_of_order"] {
        assert_eq!(figures[name], 1, "{name} in {figures}");
    }
    assert!(stderr(&output).contains("1 lost, 1 duplicated, 1 out of order"), "{}", stderr(&output));
    assert!(stderr(&output).contains("flights is"), "the first differences are named: {}", stderr(&output));
}

#[test]
fn a_malformed_row_is_named_with_its_line_before_anything_is_started() {
    let folder = folder("a_malformed_row_is_named_with_its_line_b");
    let file = folder.join("bad.csv");
    std::fs::write(&file, format!("{HEADER}\n{FIRST_ROW}\n{}\n", FIRST_ROW.replace("1400", "far"))).unwrap();
    let output = flights(&["--input", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("bad.csv, line 3, column `distance`: \"far\""), "{said}");
}

#[test]
fn options_that_cannot_be_met_end_with_2() {
    for (options, said) in [
        (&["--nodes", "2"][..], "at most 0 may be killed"),
        (&["--speed", "9"], "--speed"),
        (&["--input", "/absent.csv"], "/absent.csv"),
        (&["--out", "/absent/out.csv", "--kills", "0"], "/absent/out.csv"),
        (&["--plant", "drop:99999"], "row 99999"),
    ] {
        let output = flights(options);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{options:?}: {}", stderr(&output));
    }
    assert_eq!(flights(&["--help"]).status.code(), Some(0));
}

#[test]
fn one_node_alone_does_the_job_without_a_kill() {
    let output = flights(&["--nodes", "1", "--kills", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("27004") && table.contains("failover") && !table.contains("killed node"), "{table}");
}

#[tokio::test]
async fn a_node_ends_when_its_parent_is_gone() {
    let mut node = tokio::process::Command::new(env!("CARGO_BIN_EXE_flights"))
        .args(["node", "--id", "node-1", "--nodes", "1", "--replicas", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let deadline = Duration::from_secs(30);
    let mut said = BufReader::new(node.stdout.take().unwrap()).lines();
    let listening = timeout(deadline, said.next_line()).await.unwrap().unwrap().unwrap();
    assert!(listening.starts_with("LISTENING 127.0.0.1:"), "{listening}");
    assert_eq!(timeout(deadline, said.next_line()).await.unwrap().unwrap().unwrap(), "READY");
    drop(node.stdin.take());
    let status = timeout(deadline, node.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}
