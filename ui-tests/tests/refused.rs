//! What the macros say about what they do not accept.
//!
//! A case in `fail/` has one mistake, and its `.stderr` one error, at the user's code, that says what to do.

#[test]
fn actors_are_checked_at_compile_time() {
    cases("actor");
}

#[test]
fn messages_are_checked_at_compile_time() {
    cases("message");
}

#[test]
fn persistent_state_is_checked_at_compile_time() {
    cases("persistent");
}

fn cases(folder: &str) {
    let cases = trybuild::TestCases::new();
    cases.compile_fail(format!("{folder}/fail/*.rs"));
}
