//! Who is there and alive: SWIM (Das, Gupta, Motivala, 2002) by `foca`, its packets carried by our own links.

mod codec;
mod config;
mod identity;
mod task;
mod timers;
#[cfg(feature = "sim")]
mod trial;
mod view;

#[cfg(feature = "sim")]
pub(crate) use trial::{hear, samples};

pub(super) use task::{Input, Membership};
