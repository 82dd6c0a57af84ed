//! An echo between two processes: who asks is a process of its own, and starts the process that answers.
//!
//! What is asked, and how often, is in [`asks`]; who does it in [`competitors`]; [`processes`] starts the two; [`plan`] has all
//! of it done in turn.

mod asks;
mod competitors;
mod plan;
mod processes;

pub use self::competitors::{ALL, BASE};
pub use self::plan::run;
pub use self::processes::Part;
