//! What the macros accept: programs that use all that they offer.

// They are written as users write theirs. `lints` is held to more than the rest of the workspace.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs, unreachable_pub)]

pub mod actor {
    mod account;
    mod generic;
    pub mod lints;
    mod local;
    mod parameter;
    mod privacy;
    mod references_in_messages;
    mod supervision;
}

mod message {
    mod shapes;
}

mod persistent {
    mod events;
    mod shapes;
}
