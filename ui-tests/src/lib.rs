//! The tests are in `tests/`: programs that the macros accept, and what they say about those that they refuse, whose cases are in
//! one folder a macro.
