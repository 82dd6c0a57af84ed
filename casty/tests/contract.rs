//! `casty contract`, as its user runs it.

#![cfg(test)]

use std::process::{Command, Output};
use std::{env, fs, process};

const OLD: &str = "actor bank.Account\n  message bank.Deposit 1 00000000000000aa Deposit{amount:u64} -> u64\n";

/// Compares two contracts.
fn compare(name: &str, old: &str, new: &str) -> Output {
    let file = |which: &str, text: &str| {
        let path = env::temp_dir().join(format!("casty-contract-{}-{name}-{which}", process::id()));
        fs::write(&path, text).unwrap();
        path
    };
    let (old, new) = (file("old", old), file("new", new));
    let output = Command::new(env!("CARGO_BIN_EXE_casty")).arg("contract").args([&old, &new]).output().unwrap();
    fs::remove_file(old).unwrap();
    fs::remove_file(new).unwrap();
    output
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn what_fits_is_told_and_is_no_failure() {
    let same = compare("same", OLD, OLD);
    assert!(same.status.success() && said(&same) == "the contracts are the same\n", "{same:?}");
    let more = compare("more", OLD, &format!("{OLD}  message bank.Close 1 00000000000000ab Close -> ()\n"));
    assert!(more.status.success(), "{more:?}");
    assert_eq!(said(&more), "fits   bank.Account: handles `bank.Close` of version 1 now\n");
}

#[test]
fn what_breaks_is_told_and_fails() {
    let other =
        compare("other", OLD, &OLD.replace("00000000000000aa Deposit{amount:u64}", "00000000000000ab Deposit{}"));
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    assert!(said(&other).starts_with("breaks bank.Account: `bank.Deposit` of version 1 was"), "{other:?}");
    let none = compare("none", OLD, "nonsense\n");
    assert_eq!(none.status.code(), Some(2), "{none:?}");
    assert!(String::from_utf8_lossy(&none.stderr).contains("line 1 is none of a contract: nonsense"), "{none:?}");
}
