//! Compiles the case of the lints as a part of this crate: `cargo clippy --all-targets` then reads the generated code.

#[path = "../actor/pass/lints.rs"]
mod lints;

#[test]
fn generated_code_passes_the_strictest_lints() {
    lints::main();
}
