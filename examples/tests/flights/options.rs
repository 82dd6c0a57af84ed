//! The command line.

use casty_examples::flights::options::{Job, Options};
use clap::Parser;

fn job(args: &[&str]) -> Result<Job, String> {
    let args = std::iter::once(&"flights").chain(args);
    let job = Options::try_parse_from(args).map_err(|error| error.to_string())?.job;
    job.check().map_err(|error| error.to_string())?;
    Ok(job)
}

#[test]
fn the_defaults_kill_and_replace_one_of_three() {
    let job = job(&[]).unwrap();
    assert_eq!((job.nodes, job.kills, job.replicas(), job.rejoin), (3, 1, 3, true));
    assert!(job.window >= 128);
    assert!(job.input().ends_with("data/flights-2013-01.csv.gz") && job.input().exists());
}

#[test]
fn replicas_are_the_largest_odd_number_up_to_five_and_the_nodes() {
    let replicas = |nodes: &str| job(&["--nodes", nodes, "--kills", "0"]).unwrap().replicas();
    assert_eq!(["1", "2", "3", "4", "5", "6", "9"].map(replicas), [1, 1, 3, 3, 5, 5, 5]);
}

#[test]
fn rejoin_is_said_to_be_off_or_on() {
    let rejoin = |args: &[&str]| job(args).unwrap().rejoin;
    assert!(rejoin(&["--rejoin"]) && rejoin(&["--rejoin", "true"]) && rejoin(&["--rejoin", "--kills", "0"]));
    assert!(!rejoin(&["--rejoin", "false"]) && !rejoin(&["--rejoin=false"]));
    assert!(job(&["--rejoin", "perhaps"]).unwrap_err().contains("--rejoin"));
}

#[test]
fn whoever_is_replaced_before_the_next_kill_may_be_killed_any_number_of_times_if_a_majority_is_left() {
    for (nodes, kills) in [("3", "2"), ("3", "9"), ("4", "2"), ("5", "3")] {
        assert!(job(&["--nodes", nodes, "--kills", kills]).is_ok(), "{nodes} {kills}");
    }
    for nodes in ["1", "2"] {
        let error = job(&["--nodes", nodes, "--kills", "2"]).unwrap_err();
        assert!(error.contains("at most 0 may be killed at one time") && error.contains("3 nodes or more"), "{error}");
    }
}

#[test]
fn without_replacements_more_kills_than_a_minority_of_the_replicas_are_an_error_that_says_why() {
    for (nodes, kills, why) in [
        ("1", "1", "1 replica(s)"),
        ("2", "1", "at most 0 may be killed"),
        ("3", "2", "3 replica(s)"),
        ("4", "2", "at most 1 may be killed"),
        ("5", "3", "5 replica(s)"),
        ("9", "3", "at most 2 may be killed"),
    ] {
        let error = job(&["--nodes", nodes, "--kills", kills, "--rejoin", "false"]).unwrap_err();
        assert!(error.contains(why) && error.contains(&format!("--nodes {nodes}")), "{error}");
    }
    for (nodes, kills) in [("1", "0"), ("3", "1"), ("4", "1"), ("5", "2"), ("9", "2")] {
        assert!(job(&["--nodes", nodes, "--kills", kills, "--rejoin", "false"]).is_ok(), "{nodes} {kills}");
    }
}

#[test]
fn values_out_of_range_are_errors_that_name_the_option() {
    for args in [
        &["--nodes", "0"][..],
        &["--nodes", "many"],
        &["--kills", "-1"],
        &["--window", "0"],
        &["--plant", "lose"],
        &["--plant", "drop:0"],
    ] {
        let error = job(args).unwrap_err();
        assert!(error.contains(args[0]) && error.contains(args[1]), "{args:?}: {error}");
    }
    assert!(job(&["--speed", "9"]).unwrap_err().contains("--speed"));
}
