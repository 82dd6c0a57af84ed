//! The tests are in `tests/ui.rs`, their cases in one folder a macro.
