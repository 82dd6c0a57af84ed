use super::*;

const OLD: &str = "\
# a comment
actor bank.Account
  message bank.Deposit 1 00000000000000aa Deposit{amount:u64} -> u64
  message bank.Close 1 00000000000000ab Close -> ()
  state 1
    field balance 00000000000000ac u64
    field color 00000000000000ad text

actor bank.Teller
  message bank.Ask 1 00000000000000ae Ask -> ()
";

fn contract(text: &str) -> Contract {
    text.parse().unwrap()
}

/// The changes to what `OLD` is with these replacements.
fn changes(replaced: &[(&str, &str)]) -> Vec<String> {
    let new = replaced.iter().fold(OLD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    contract(OLD).changes_to(&contract(&new)).iter().map(ToString::to_string).collect()
}

#[test]
fn a_contract_is_read_as_it_was_written() {
    let more = "    events 00000000000000b2 enum(Booked(i64))\n    default limit\n    renamed owner holder\n    \
                removed color\n    migrate 1\n    upcast 2\n";
    let state =
        format!("  state 3\n    field holder 00000000000000b0 text\n    field limit 00000000000000b1 u64\n{more}");
    let text = OLD.replace("  state 1\n", &state);
    let read = contract(&text);
    assert_eq!(contract(&read.to_string()), read);
    assert!(read.to_string().contains(more), "{read}");
    let error = "actor a\n  mesage b\n".parse::<Contract>().unwrap_err();
    assert!(matches!(error, ContractError::Line { line: 2, .. }), "{error}");
    assert!("  state 1\n".parse::<Contract>().is_err(), "of no actor");
}

#[test]
fn what_is_added_fits_and_what_goes_breaks() {
    assert_eq!(changes(&[]), [""; 0]);
    assert_eq!(changes(&[("bank.Teller", "bank.Clerk")]), ["breaks bank.Teller: is gone", "fits   bank.Clerk: is new"]);
    assert_eq!(
        changes(&[("bank.Close 1", "bank.Close 2")]),
        [
            "breaks bank.Account: handles `bank.Close` of version 1 no more",
            "fits   bank.Account: handles `bank.Close` of version 2 now"
        ]
    );
    let other = changes(&[("00000000000000aa Deposit{amount:u64}", "00000000000000ba Deposit{amount:u32}")]);
    assert!(other[0].starts_with("breaks bank.Account: `bank.Deposit` of version 1 was"), "{other:?}");
}

#[test]
fn state_fits_if_it_is_read() {
    let state = |more: &str| {
        let new = format!("state 2\n    field balance 00000000000000ac u64\n{more}");
        changes(&[("state 1\n    field balance 00000000000000ac u64\n    field color 00000000000000ad text\n", &new)])
    };
    assert_eq!(state("    removed color\n"), ["fits   bank.Account: its state goes from version 1 to 2"]);
    assert_eq!(state("    migrate 1\n"), ["fits   bank.Account: its state goes from version 1 to 2"]);
    let events = changes(&[("  state 1\n", "  state 1\n    events 00000000000000b2 Booked(i64)\n")]);
    assert!(events[0].starts_with("breaks bank.Account: its state: the events differ, and both have version 1"));
    assert!(
        state("")[0].starts_with("breaks bank.Account: its state: version 1 has a field `color`"),
        "{:?}",
        state("")
    );
    let same = changes(&[("    field color 00000000000000ad text\n", "")]);
    assert!(same[0].contains("raise the version"), "{same:?}");
}
